import { certificateAnswerTopic } from "@coalmine/contract/commissioning";
import { RegionSettings } from "./settings.ts";

/**
 * Settings for a region of its own that nobody else looks into: a rehearsal, a simulation. The policy is what the real
 * account gives its devices (a test holds it to that); a region that stands for a real one is handed its settings.
 */
export const usualNames = {
  fleetGroup: "coalmine-fleet",
  artifactBucket: "coalmine-artifacts",
  lakeBucket: "coalmine-lake",
} as const;

const ACCOUNT = "123456789012";
const POLICY = "CoalmineDevice";
const ROLE_ALIAS = "CoalmineTokenExchange";
const thing = "${iot:Connection.Thing.ThingName}";

export function usualSettings(region: string): RegionSettings {
  const iot = (resource: string): string => `arn:aws:iot:${region}:${ACCOUNT}:${resource}`;
  const reserved = [`$aws/things/${thing}/jobs/*`, `$aws/things/${thing}/shadow/*`];
  const sent = [
    `$aws/things/${thing}/greengrassv2/health/json`,
    `$aws/things/${thing}/greengrass/health/json`,
    `coalmine/${thing}/*`,
  ];
  const heard = [...reserved, certificateAnswerTopic(thing)];
  const allow = (actions: readonly string[], resources: readonly string[]) => ({
    Effect: "Allow",
    Action: actions,
    Resource: resources,
  });
  const dataPlane = [
    "greengrass:GetComponentVersionArtifact",
    "greengrass:ResolveComponentCandidates",
    "greengrass:GetDeploymentConfiguration",
    "greengrass:ListThingGroupsForCoreDevice",
  ];
  const document = {
    Version: "2012-10-17",
    Statement: [
      allow(["iot:Connect"], [iot(`client/${thing}`), iot(`client/${thing}#*`)]),
      allow(
        ["iot:Publish"],
        [...reserved, ...sent].map((topic) => iot(`topic/${topic}`)),
      ),
      allow(
        ["iot:Receive"],
        heard.map((topic) => iot(`topic/${topic}`)),
      ),
      allow(
        ["iot:Subscribe"],
        heard.map((topic) => iot(`topicfilter/${topic}`)),
      ),
      allow(["iot:AssumeRoleWithCertificate"], [iot(`rolealias/${ROLE_ALIAS}`)]),
      allow(dataPlane, ["*"]),
    ],
  };
  return RegionSettings.parse({
    accountId: ACCOUNT,
    policies: [{ name: POLICY, document }],
    thingGroups: [usualNames.fleetGroup],
    roleAlias: { name: ROLE_ALIAS, roleArn: `arn:aws:iam::${ACCOUNT}:role/${ROLE_ALIAS}` },
    buckets: [usualNames.artifactBucket, usualNames.lakeBucket],
    devices: { policies: [POLICY], groups: [usualNames.fleetGroup] },
  });
}
