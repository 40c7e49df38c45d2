import { COMMISSIONING_TABLE } from "../../api/claims/claim-cloud.ts";
import { REHEARSALS } from "../../pipeline/rehearsals.ts";
import type { Target } from "../../pipeline/target.ts";
import { publishes } from "../delivery/may.ts";
import { names, roleIn } from "../identity/identity.ts";
import { allow, arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";
import {
  creates,
  evidence,
  groups,
  kept,
  placeOf,
  reads,
  readsLogs,
  REPORTS,
  rollouts,
  watches,
  type Where,
} from "./may.ts";

/** What people may do by the command line, by what they are. Whoever does something may look as well. */
export function commandMay(where: Where): Record<PeoplePolicy, readonly Statement[]> {
  const home = placeOf(where, where.home);
  const each = (may: (place: Place, target: Target) => readonly Statement[]): Statement[] =>
    where.targets.flatMap((target) => may(placeOf(where, target.region), target));
  return {
    viewers: [
      rollouts(home, "Query"),
      ...each((place, target) => [
        ...watches(place, target),
        ...looksCloser(place),
        ...reads(place, target.artifactBucket, [
          ...(target.region === where.home ? [...kept, REHEARSALS] : []),
          REPORTS,
        ]),
      ]),
    ],
    operators: [rollouts(home, "PutItem")],
    commissioners: each(retires),
    doctors: each((place, target) => examines(place, target, place.region === where.home)),
    installers: [
      rollouts(home, "PutItem", "DescribeTable"),
      ...each((place, target) => [...publishes(place, target), ...installs(place, target)]),
    ],
  };
}

export type PeoplePolicy = "viewers" | "operators" | "commissioners" | "doctors" | "installers";

/** Each device in the registry with its history and its log, and every component. */
function looksCloser(place: Place): Statement[] {
  return [
    allow(["iot:ListThings", "greengrass:ListComponents"], "*"),
    allow(["greengrass:DescribeComponent"], arn(place, "greengrass", "components:*")),
    allow(["iot:ListThingGroupsForThing", "iot:ListThingPrincipals"], arn(place, "iot", "thing/*")),
    allow(["iot:DescribeCertificate"], arn(place, "iot", "cert/*")),
    allow(["dynamodb:Query"], commissioning(place)),
    readsLogs(place),
  ];
}

/** Codes by which devices come, and what takes a device out. */
function retires(place: Place): Statement[] {
  const iot = (resource: string): string => arn(place, "iot", resource);
  return [
    allow(["dynamodb:PutItem"], commissioning(place)),
    allow(["iot:UpdateCertificate", "iot:ListAttachedPolicies"], iot("cert/*")),
    allow(["iot:DetachPolicy"], iot("cert/*"), iot(`policy/${names.devicePolicy}`)),
    allow(["iot:DetachThingPrincipal"], iot("cert/*"), iot("thing/*")),
    allow(["iot:RemoveThingFromThingGroup"], iot("thing/*"), iot("thinggroup/coalmine-*")),
    allow(["iot:DeleteThing"], iot("thing/*")),
    allow(["greengrass:DeleteCoreDevice"], arn(place, "greengrass", "coreDevices:*")),
  ];
}

/** What `coalmine doctor --aws` asks; it changes nothing. */
function examines(place: Place, target: Target, isHome: boolean): Statement[] {
  const iot = (resource: string): string => arn(place, "iot", resource);
  const role = `arn:${place.partition}:iam::${place.accountId}:role/${roleIn(names.tokenExchangeRole, place.region, isHome)}`;
  return [
    allow(
      [
        "iot:DescribeEndpoint",
        "iot:DescribeEventConfigurations",
        "iot:GetIndexingConfiguration",
        "iot:GetV2LoggingOptions",
        "iot:ListTopicRules",
        "greengrass:GetServiceRoleForAccount",
        "greengrass:ListCoreDevices",
        "greengrass:ListDeployments",
        "servicequotas:GetAWSDefaultServiceQuota",
        "servicequotas:GetServiceQuota",
      ],
      "*",
    ),
    allow(["greengrass:GetDeployment"], arn(place, "greengrass", "deployments:*")),
    allow(["greengrass:DescribeComponent"], arn(place, "greengrass", "components:*")),
    allow(["iot:DescribeThingGroup"], ...groups(place, target), iot(`thinggroup/${names.fleetGroup}`)),
    allow(["iot:ListJobExecutionsForJob"], iot("job/*")),
    allow(["iot:ListThingPrincipals"], iot("thing/*")),
    allow(["iot:DescribeCertificate", "iot:ListAttachedPolicies"], iot("cert/*")),
    allow(["iot:DescribeRoleAlias"], iot(`rolealias/${names.roleAlias}`)),
    allow(["iot:GetPolicy"], iot(`policy/${names.devicePolicy}`)),
    allow(["iot:DescribeProvisioningTemplate"], iot(`provisioningtemplate/${names.provisioningTemplate}`)),
    allow(["iam:GetRole", "iam:SimulatePrincipalPolicy"], role),
    allow(["logs:DescribeLogGroups"], arn(place, "logs", "log-group:*")),
    allow(
      ["s3:GetBucketLocation", "s3:GetBucketVersioning"],
      bucketArn(place, target.artifactBucket),
      bucketArn(place, target.lakeBucket),
    ),
  ];
}

/** The first release of a fleet, and what makes its devices' jobs seen. */
function installs(place: Place, target: Target): Statement[] {
  return [
    ...creates(place, target),
    byKey(place, ["s3"]),
    allow(["greengrass:ListDeployments"], "*"),
    allow(["greengrass:GetDeployment"], arn(place, "greengrass", "deployments:*")),
    allow(["iot:CreateThingGroup", "iot:DescribeThingGroup"], ...groups(place, target)),
    allow(["iot:DescribeEventConfigurations", "iot:UpdateEventConfigurations"], "*"),
    allow(["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"], evidence(place)),
  ];
}

function commissioning(place: Place): string {
  return arn(place, "dynamodb", `table/${COMMISSIONING_TABLE}`);
}
