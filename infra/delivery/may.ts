import { REHEARSALS } from "../../pipeline/rehearsals.ts";
import { RELEASES } from "../../pipeline/release.ts";
import type { Target } from "../../pipeline/target.ts";
import { allow, arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";
import { pipelineMayFetch, type Source, stageMayClone } from "./source.ts";

interface Delivery {
  readonly place: Place;
  readonly source: Source;
  /** Of what stages hand to each other. */
  readonly store: string;
  /** Of the console's files, where there is a console. */
  readonly siteBucket: string | undefined;
}

/** What the rehearsal's reports are kept as; CodeBuild puts the project's name before it. */
export const REHEARSAL_REPORTS = "rehearsals";

/** What the pipeline itself may do: fetch, hand on, and start stages. It answers no wait. */
export function pipelineMay({ place, source, store }: Delivery): readonly Statement[] {
  return [
    allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], bucketArn(place, `${store}/*`)),
    allow(["s3:GetBucketLocation", "s3:GetBucketVersioning"], bucketArn(place, store)),
    byKey(place, ["s3"]),
    pipelineMayFetch(source, place),
    allow(
      ["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"],
      arn(place, "codebuild", "project/coalmine-*"),
    ),
  ];
}

/** What an action's commands may do, by its own name and its stage's before it. */
export function stageMay(
  id: string,
  project: string,
  delivery: Delivery,
  targets: readonly Target[],
): readonly Statement[] {
  const { place, source, store } = delivery;
  const log = `log-group:/aws/codebuild/${project}`;
  const own = [
    allow(["logs:CreateLogStream", "logs:PutLogEvents"], arn(place, "logs", `${log}:log-stream:*`)),
    allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], bucketArn(place, `${store}/*`)),
    allow(["s3:GetBucketLocation"], bucketArn(place, store)),
    byKey(place, ["s3"]),
    stageMayClone(source, place),
  ];
  const [home] = targets;
  if (id === "Check" && home !== undefined) return [...own, ...asksWhatWasPublished(place, home)];
  if (id === "Rehearse" && home !== undefined)
    return [...own, ...rehearses(place, home), reports(place, project)];
  if (id === "PublishConsole" && delivery.siteBucket !== undefined)
    return [...own, allow(["s3:PutObject"], bucketArn(place, `${delivery.siteBucket}/*`))];
  if (id === "Publish")
    return [...own, ...targets.flatMap((target) => publishes({ ...place, region: target.region }, target))];
  return own;
}

/** A push is checked beside the last one that was published. */
function asksWhatWasPublished(place: Place, { artifactBucket }: Target): Statement[] {
  return [
    allow(["s3:GetObject"], bucketArn(place, `${artifactBucket}/${RELEASES}/*`)),
    // Without it S3 says of what is missing that one may not know.
    allow(["s3:ListBucket"], bucketArn(place, artifactBucket)),
  ];
}

/** The rehearsal starts from what runs now, so it reads what that is. */
function rehearses(place: Place, { artifactBucket }: Target): Statement[] {
  return [
    // Lists are of the whole region.
    allow(["greengrass:ListDeployments"], "*"),
    allow(["greengrass:GetDeployment"], arn(place, "greengrass", "deployments:*")),
    allow(["greengrass:GetComponent"], ...components(place)),
    allow(["s3:GetObject"], bucketArn(place, `${artifactBucket}/*`)),
    // Without it S3 says of what is missing that one may not know.
    allow(["s3:ListBucket"], bucketArn(place, artifactBucket)),
    allow(["s3:PutObject"], bucketArn(place, `${artifactBucket}/${REHEARSALS}/*`)),
  ];
}

function reports(place: Place, project: string): Statement {
  return allow(
    [
      "codebuild:CreateReportGroup",
      "codebuild:CreateReport",
      "codebuild:UpdateReport",
      "codebuild:BatchPutTestCases",
    ],
    arn(place, "codebuild", `report-group/${project}-${REHEARSAL_REPORTS}`),
  );
}

/** Component versions and their artifacts, made once and never changed. */
export function publishes(place: Place, { artifactBucket }: Target): Statement[] {
  return [
    allow(
      [
        "greengrass:CreateComponentVersion",
        "greengrass:DescribeComponent",
        "greengrass:GetComponent",
        "greengrass:TagResource",
      ],
      ...components(place),
    ),
    allow(["s3:PutObject", "s3:GetObject"], bucketArn(place, `${artifactBucket}/*`)),
    allow(["s3:ListBucket"], bucketArn(place, artifactBucket)),
    byKey(place, ["s3"]),
  ];
}

function components(place: Place): string[] {
  return [arn(place, "greengrass", "components:coalmine.*")];
}
