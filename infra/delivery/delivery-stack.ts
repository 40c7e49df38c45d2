import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib/core";
import { CfnProject } from "aws-cdk-lib/aws-codebuild";
import { CfnPipeline } from "aws-cdk-lib/aws-codepipeline";
import { CfnNotificationRule } from "aws-cdk-lib/aws-codestarnotifications";
import { CfnRule } from "aws-cdk-lib/aws-events";
import type { Role } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import {
  actionsOf,
  PIPELINE_NAME,
  SOURCE_STAGE,
  stages,
  type WorkAction,
} from "../../pipeline/definition.ts";
import { SIGNERS_VARIABLE } from "../../pipeline/supply/signers.ts";
import type { Target } from "../../pipeline/target.ts";
import { names } from "../identity/identity.ts";
import { bucketNames, keptBucket, lifecycles } from "../lake/buckets.ts";
import { grantedRole } from "../policies/granted-role.ts";
import { arn, type Statement } from "../policies/statement.ts";
import { pipelineMay, REHEARSAL_REPORTS, stageMay } from "./may.ts";
import { PUSHED_COMMIT, pushPattern, type Source, sourceAction, triggers } from "./source.ts";

export interface DeliveryStackProps extends StackProps {
  /** The repository that is pushed to. */
  readonly source: Source;
  readonly executionMode: "SUPERSEDED" | "QUEUED";
  readonly targets: readonly Target[];
  /** Whose signature a release needs: what is not signed is not even published. */
  readonly signers?: string | undefined;
  /** Of the console's files, where there is a console. */
  readonly siteBucket?: string | undefined;
  readonly key: Key;
  /** Where access to what stages hand on is logged. */
  readonly logs: Bucket;
}

const INSTALL = "node pipeline/stages/install.ts";
const IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0";
/** What people are told of, beside what the controller tells. */
const events = ["pipeline-execution-failed", "pipeline-execution-superseded", "manual-approval-failed"];

/** CodePipeline V2 of the one definition: CodeBuild runs the work, only the rollout controller answers the waits. */
export class DeliveryStack extends Stack {
  readonly #props: DeliveryStackProps;
  readonly #store: string;

  constructor(scope: Construct, id: string, props: DeliveryStackProps) {
    super(scope, id, props);
    this.#props = props;
    this.#store = bucketNames(this).pipeline;
    const { key, logs, source, executionMode } = props;
    const store = keptBucket(this, "PipelineStore", {
      bucketName: this.#store,
      key,
      logs,
      lifecycleRules: lifecycles.artifacts,
    });
    const pipeline = new CfnPipeline(this, "Pipeline", {
      name: PIPELINE_NAME,
      pipelineType: "V2",
      executionMode,
      restartExecutionOnUpdate: false,
      roleArn: this.#role("PipelineRole", "codepipeline", pipelineMay(this.#delivery)).roleArn,
      artifactStore: {
        type: "S3",
        location: this.#store,
        encryptionKey: { type: "KMS", id: key.keyArn },
      },
      triggers: triggers(source),
      stages: [{ name: SOURCE_STAGE, actions: [sourceAction(source)] }, ...this.#stages()],
    });
    pipeline.node.addDependency(store);
    if (source.kind === "codecommit") this.#startOnPush(source.name);
    new CfnNotificationRule(this, "Notices", {
      name: PIPELINE_NAME,
      detailType: "FULL",
      resource: this.#pipelineArn,
      eventTypeIds: events.map((event) => `codepipeline-pipeline-${event}`),
      targets: [{ targetType: "SNS", targetAddress: arn(this.#place, "sns", names.alertTopic) }],
    }).addResourceDependency(pipeline);
  }

  get #place() {
    return { region: this.region, accountId: this.account, partition: this.partition };
  }

  get #pipelineArn(): string {
    return arn(this.#place, "codepipeline", PIPELINE_NAME);
  }

  get #delivery() {
    const { source, siteBucket } = this.#props;
    return { place: this.#place, source, store: this.#store, siteBucket };
  }

  /** Each action leaves its checkout, with what it built, to the next one. */
  #stages(): CfnPipeline.StageDeclarationProperty[] {
    let checkout = "Source";
    return stages.map((stage) => {
      const { name } = stage;
      if (stage.kind === "wait")
        return {
          name,
          actions: [
            {
              name,
              runOrder: 1,
              actionTypeId: { category: "Approval", owner: "AWS", provider: "Manual", version: "1" },
              configuration: { CustomData: `waits for ${stage.waitsFor}` },
            },
          ],
        };
      const own = actionsOf(stage.actions, this.#props.siteBucket !== undefined);
      const actions = own.map((action, index) => {
        const input = checkout;
        checkout = `${name}${action.name}`;
        return {
          name: action.name,
          runOrder: index + 1,
          actionTypeId: { category: "Build", owner: "AWS", provider: "CodeBuild", version: "1" },
          configuration: {
            ProjectName: this.#project(name, action).ref,
            EnvironmentVariables: JSON.stringify([
              { name: "COALMINE_COMMIT", value: PUSHED_COMMIT, type: "PLAINTEXT" },
            ]),
          },
          inputArtifacts: [{ name: input }],
          outputArtifacts: [{ name: checkout }],
        };
      });
      return { name, actions };
    });
  }

  #project(stage: string, action: WorkAction): CfnProject {
    const id = `${stage}${action.name === stage ? "" : action.name}`;
    const name = `coalmine-${id.toLowerCase()}`;
    const { targets, key, signers, siteBucket } = this.#props;
    const publishes = stage === "Publish" && action.name === stage;
    const role = this.#role(`${id}Role`, "codebuild", stageMay(id, name, this.#delivery, targets));
    const logGroup = new LogGroup(this, `${id}Log`, {
      logGroupName: `/aws/codebuild/${name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return new CfnProject(this, `${id}Project`, {
      name,
      description: `${stage} of ${PIPELINE_NAME}`,
      serviceRole: role.roleArn,
      encryptionKey: key.keyArn,
      environment: {
        type: "LINUX_CONTAINER",
        computeType: "BUILD_GENERAL1_MEDIUM",
        image: IMAGE,
        environmentVariables: Object.entries({
          COALMINE_TARGETS: JSON.stringify(targets),
          COALMINE_ACCOUNT: this.account,
          COALMINE_CACHE: "/codebuild/coalmine-cache",
          ...(publishes && signers !== undefined ? { [SIGNERS_VARIABLE]: signers } : {}),
          ...(action.onlyWithSite === true ? { COALMINE_SITE_BUCKET: siteBucket ?? "" } : {}),
        }).map(([variable, value]) => ({ name: variable, type: "PLAINTEXT", value })),
      },
      timeoutInMinutes: action.timeoutMinutes,
      source: { type: "CODEPIPELINE", buildSpec: JSON.stringify(buildSpec(action)) },
      artifacts: { type: "CODEPIPELINE" },
      cache: { type: "NO_CACHE" },
      logsConfig: { cloudWatchLogs: { status: "ENABLED", groupName: logGroup.logGroupName } },
    });
  }

  #role(id: string, service: string, may: readonly Statement[]): Role {
    const description = `What ${id.replace(/Role$/, "")} of ${PIPELINE_NAME} may do`;
    return grantedRole(this, id, { description, service, may });
  }

  /** CodeCommit tells EventBridge of a push; connections start the pipeline by themselves. */
  #startOnPush(repository: string): void {
    const start: Statement = {
      Effect: "Allow",
      Action: ["codepipeline:StartPipelineExecution"],
      Resource: [this.#pipelineArn],
    };
    new CfnRule(this, "OnPush", {
      eventPattern: pushPattern(this.#place, repository),
      targets: [
        {
          id: "pipeline",
          arn: this.#pipelineArn,
          roleArn: this.#role("OnPushRole", "events", [start]).roleArn,
        },
      ],
    });
  }
}

/** CodeBuild shows them beside the build, also of one that failed. */
const rehearsalReports = {
  [REHEARSAL_REPORTS]: {
    "base-directory": "dist-rehearsals",
    files: ["**/report.xml"],
    "file-format": "JUNITXML",
  },
};

function buildSpec(action: WorkAction): object {
  return {
    version: "0.2",
    phases: {
      install: { "runtime-versions": { nodejs: "24" } },
      // A container of its own has no packages yet; the action that installs them fills the cache.
      pre_build: {
        commands: action.commands.includes(INSTALL) ? [] : [INSTALL],
      },
      build: { commands: [...action.commands] },
    },
    ...(action.commands.some((one) => one.endsWith(" rehearse")) ? { reports: rehearsalReports } : {}),
    artifacts: { files: ["**/*"], "exclude-paths": ["node_modules/**"] },
    cache: { paths: ["/codebuild/coalmine-cache/**/*"] },
  };
}
