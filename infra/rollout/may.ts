import { COMMISSIONING_TABLE } from "../../api/claims/claim-cloud.ts";
import { ROLLOUTS_TABLE } from "../../pipeline/controller/rollout-log.ts";
import { PIPELINE_NAME } from "../../pipeline/definition.ts";
import { EVIDENCE_TABLE } from "../../pipeline/evidence/evidence-store.ts";
import { REHEARSALS } from "../../pipeline/rehearsals.ts";
import type { WaitStage } from "../../pipeline/rollout/action.ts";
import { waitStages } from "../../pipeline/rollout/action.ts";
import type { Target } from "../../pipeline/target.ts";
import { names } from "../identity/identity.ts";
import { allow, arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";

/** Folders of the bucket of artifacts: of releases and rollouts, and of technicians' reports. */
export const kept = ["releases", "rollouts", "overrides"] as const;
export const REPORTS = "commissioning";

export interface Where {
  readonly partition: string;
  readonly accountId: string;
  readonly home: string;
  readonly targets: readonly Target[];
}

/** What the rollout controller may do: it alone answers the pipeline's waits and deploys to devices. */
export function controllerMay(where: Where): readonly Statement[] {
  const { home, targets } = where;
  const place = placeOf(where, home);
  return [
    allow(
      [
        "codepipeline:GetPipelineState",
        "codepipeline:GetPipelineExecution",
        "codepipeline:ListActionExecutions",
      ],
      pipeline(place),
    ),
    allow(
      ["codepipeline:PutApprovalResult"],
      ...waitStages.map((stage: WaitStage) => `${pipeline(place)}/${stage}/${stage}`),
    ),
    rollouts(place, "GetItem", "PutItem", "Query", "DescribeTable"),
    allow(["sns:Publish"], arn(place, "sns", names.alertTopic)),
    // What a topic is encrypted with.
    byKey(place, ["sns"]),
    ...targets.flatMap((target) => deploys(placeOf(where, target.region), target)),
  ];
}

/** What the operators' API may do: read, and write decisions and who takes on which alarm into the events of rollouts. */
export function operatorsMay(where: Where): readonly Statement[] {
  const { home, targets } = where;
  const place = placeOf(where, home);
  return [
    rollouts(place, "GetItem", "PutItem", "Query"),
    // Codes that were refused are found by that alone.
    allow(["dynamodb:Scan"], arn(place, "dynamodb", `table/${COMMISSIONING_TABLE}`)),
    ...targets.flatMap((target) => [
      ...watches(placeOf(where, target.region), target),
      ...looksAt(placeOf(where, target.region)),
      ...reads(placeOf(where, target.region), target.artifactBucket, [
        ...(target.region === home ? [...kept, REHEARSALS] : []),
        REPORTS,
      ]),
    ]),
  ];
}

function deploys(place: Place, target: Target): Statement[] {
  const { artifactBucket } = target;
  const iot = (resource: string): string => arn(place, "iot", resource);
  return [
    ...watches(place, target),
    ...reads(place, artifactBucket, kept),
    allow(["s3:PutObject"], bucketArn(place, `${artifactBucket}/rollouts/*`)),
    allow(["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"], evidence(place)),
    allow(["iot:DescribeThingGroup"], ...groups(place, target)),
    allow(["iot:DescribeJobExecution"], iot("job/*"), iot("thing/*")),
    allow(
      ["iot:AddThingToThingGroup", "iot:RemoveThingFromThingGroup"],
      iot("thing/*"),
      ...groups(place, target),
    ),
    ...creates(place, target),
    allow(["greengrass:CancelDeployment"], arn(place, "greengrass", "deployments:*")),
  ];
}

/** A deployment, and what Greengrass makes it by: jobs of AWS IoT and shadows, in the name of who deploys. */
export function creates(place: Place, target: Target): Statement[] {
  const iot = (resource: string): string => arn(place, "iot", resource);
  return [
    // A deployment has no name before it is made, and the service offers no narrower resource.
    allow(["greengrass:CreateDeployment"], "*"),
    allow(
      ["iot:CreateJob", "iot:CancelJob", "iot:DescribeJob", "iot:UpdateJob"],
      iot("job/*"),
      iot("thing/*"),
      ...groups(place, target),
    ),
    allow(["iot:GetThingShadow", "iot:UpdateThingShadow"], iot("thing/*")),
  ];
}

/** What is seen of a target: its devices, its deployments, its evidence. */
export function watches(place: Place, target: Target): Statement[] {
  const iot = (resource: string): string => arn(place, "iot", resource);
  return [
    // Lists are of the whole region.
    allow(["greengrass:ListDeployments", "greengrass:ListCoreDevices"], "*"),
    allow(["greengrass:GetDeployment"], arn(place, "greengrass", "deployments:*")),
    allow(
      [
        "greengrass:GetCoreDevice",
        "greengrass:ListInstalledComponents",
        "greengrass:ListEffectiveDeployments",
      ],
      arn(place, "greengrass", "coreDevices:*"),
    ),
    allow(["iot:DescribeThing"], iot("thing/*")),
    allow(["iot:ListThingsInThingGroup"], ...groups(place, target)),
    allow(["dynamodb:Query"], evidence(place)),
  ];
}

/** What people see of a target beside that: each device in the registry, its history, its log, the region's alarms. */
function looksAt(place: Place): Statement[] {
  const iot = (resource: string): string => arn(place, "iot", resource);
  return [
    allow(["iot:ListThings", "greengrass:ListComponents"], "*"),
    allow(["greengrass:DescribeComponent"], arn(place, "greengrass", "components:*")),
    allow(["iot:ListThingGroupsForThing", "iot:ListThingPrincipals"], iot("thing/*")),
    allow(["iot:DescribeCertificate"], iot("cert/*")),
    allow(["dynamodb:Query"], arn(place, "dynamodb", `table/${COMMISSIONING_TABLE}`)),
    allow(["cloudwatch:DescribeAlarms"], arn(place, "cloudwatch", "alarm:*")),
    readsLogs(place),
  ];
}

/** What components of the region's devices have written. */
export function readsLogs(place: Place): Statement {
  return allow(
    ["logs:FilterLogEvents", "logs:GetLogEvents"],
    arn(place, "logs", `log-group:/aws/greengrass/UserComponent/${place.region}/*`),
  );
}

/** Objects of these folders. Without the list S3 says of what is missing that one may not know. */
export function reads(place: Place, bucket: string, folders: readonly string[]): Statement[] {
  return [
    allow(["s3:GetObject"], ...folders.map((folder) => bucketArn(place, `${bucket}/${folder}/*`))),
    allow(["s3:ListBucket"], bucketArn(place, bucket)),
    byKey(place, ["s3"]),
  ];
}

export function rollouts(place: Place, ...actions: readonly string[]): Statement {
  return allow(
    actions.map((action) => `dynamodb:${action}`),
    arn(place, "dynamodb", `table/${ROLLOUTS_TABLE}`),
  );
}

export function evidence(place: Place): string {
  return arn(place, "dynamodb", `table/${EVIDENCE_TABLE}`);
}

export function groups(place: Place, { canaryGroup, mainGroup }: Target): string[] {
  return [canaryGroup, mainGroup].map((group) => arn(place, "iot", `thinggroup/${group}`));
}

function pipeline(place: Place): string {
  return arn(place, "codepipeline", PIPELINE_NAME);
}

export function placeOf({ partition, accountId }: Where, region: string): Place {
  return { partition, accountId, region };
}
