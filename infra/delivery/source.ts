import type { CfnPipeline } from "aws-cdk-lib/aws-codepipeline";
import { SOURCE_ACTION } from "../../pipeline/definition.ts";
import { arn, type Place, type Statement } from "../policies/statement.ts";

/** Where pushes come from. */
export type Source =
  | {
      readonly kind: "codeconnections";
      readonly connectionArn: string;
      readonly owner: string;
      readonly name: string;
    }
  | { readonly kind: "codecommit"; readonly name: string };

/** Under it the source action says which commit it fetched. */
const PUSHED = "Pushed";
/** In the words of CodePipeline's variables. Each action is told: of what it is handed CodeBuild knows no commit. */
export const PUSHED_COMMIT = `#{${PUSHED}.CommitId}`;

const BRANCH = "main";
/** What a push changes here alone starts nothing: no artifact is made of it. */
const notReleased = ["docs/**", "**/*.md"];

/** The source action in CodePipeline's words. Stages look at the history, so each gets a clone, not files alone. */
export function sourceAction(source: Source): CfnPipeline.ActionDeclarationProperty {
  const shared = {
    name: SOURCE_ACTION,
    namespace: PUSHED,
    runOrder: 1,
    outputArtifacts: [{ name: "Source" }],
  };
  if (source.kind === "codecommit")
    return {
      ...shared,
      actionTypeId: { category: "Source", owner: "AWS", provider: "CodeCommit", version: "1" },
      configuration: {
        RepositoryName: source.name,
        BranchName: BRANCH,
        PollForSourceChanges: false,
        OutputArtifactFormat: "CODEBUILD_CLONE_REF",
      },
    };
  return {
    ...shared,
    actionTypeId: { category: "Source", owner: "AWS", provider: "CodeStarSourceConnection", version: "1" },
    configuration: {
      ConnectionArn: source.connectionArn,
      FullRepositoryId: `${source.owner}/${source.name}`,
      BranchName: BRANCH,
      OutputArtifactFormat: "CODEBUILD_CLONE_REF",
      DetectChanges: false,
    },
  };
}

/** Path filters, which CodePipeline has for connections alone. */
export function triggers(source: Source): CfnPipeline.PipelineTriggerDeclarationProperty[] {
  if (source.kind === "codecommit") return [];
  const push = [{ branches: { includes: [BRANCH] }, filePaths: { excludes: notReleased } }];
  return [
    { providerType: "CodeStarSourceConnection", gitConfiguration: { sourceActionName: SOURCE_ACTION, push } },
  ];
}

/** EventBridge's pattern of a push to a CodeCommit repository. */
export function pushPattern(place: Place, name: string): object {
  return {
    source: ["aws.codecommit"],
    "detail-type": ["CodeCommit Repository State Change"],
    resources: [arn(place, "codecommit", name)],
    detail: {
      event: ["referenceCreated", "referenceUpdated"],
      referenceType: ["branch"],
      referenceName: [BRANCH],
    },
  };
}

/** What the pipeline may do to fetch a push. */
export function pipelineMayFetch(source: Source, place: Place): Statement {
  if (source.kind === "codeconnections")
    return {
      Effect: "Allow",
      Action: ["codestar-connections:UseConnection", "codeconnections:UseConnection"],
      Resource: [source.connectionArn],
    };
  return {
    Effect: "Allow",
    Action: [
      "codecommit:GetBranch",
      "codecommit:GetCommit",
      "codecommit:GetRepository",
      "codecommit:UploadArchive",
      "codecommit:GetUploadArchiveStatus",
    ],
    Resource: [arn(place, "codecommit", source.name)],
  };
}

/** What a stage may do to clone it. */
export function stageMayClone(source: Source, place: Place): Statement {
  return source.kind === "codeconnections"
    ? pipelineMayFetch(source, place)
    : { Effect: "Allow", Action: ["codecommit:GitPull"], Resource: [arn(place, "codecommit", source.name)] };
}
