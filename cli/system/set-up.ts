import { functionNames } from "../../infra/identity/functions.ts";
import {
  certificateRule,
  devicePolicy,
  names,
  provisioningTemplate,
  recordRule,
  replayAlarm,
} from "../../infra/identity/identity.ts";
import type { Place } from "../../infra/policies/statement.ts";
import { type Invoke, unlessThereBy } from "./invoke.ts";

/** Brings a region into the state that the identity stack gives one on AWS. May be repeated. */
export async function setUpRegion(invoke: Invoke, place: Place, buckets: readonly string[]): Promise<void> {
  const unlessThere = unlessThereBy(invoke);
  for (const Bucket of buckets) await unlessThere("s3", "CreateBucket", { Bucket });
  for (const thingGroupName of [names.fleetGroup, names.mainGroup, names.canaryGroup])
    await unlessThere("iot", "CreateThingGroup", { thingGroupName });
  await unlessThere("iot", "CreatePolicy", {
    policyName: names.devicePolicy,
    policyDocument: JSON.stringify(devicePolicy(place)),
  });
  const role = (name: string): string => `arn:${place.partition}:iam::${place.accountId}:role/${name}`;
  await unlessThere("iot", "CreateRoleAlias", {
    roleAlias: names.roleAlias,
    roleArn: role(names.tokenExchangeRole),
  });
  const functionArn = (name: string): string =>
    `arn:${place.partition}:lambda:${place.region}:${place.accountId}:function:${name}`;
  const preProvisioningHook = { targetArn: functionArn(functionNames.allowList) };
  await unlessThere("iot", "CreateProvisioningTemplate", {
    templateName: names.provisioningTemplate,
    provisioningRoleArn: role("CoalmineProvisioning"),
    templateBody: JSON.stringify(provisioningTemplate()),
    preProvisioningHook,
    enabled: true,
  });
  // A region that was set up by an earlier version has the template without its hook.
  await invoke("iot", "UpdateProvisioningTemplate", {
    templateName: names.provisioningTemplate,
    preProvisioningHook,
  });
  await unlessThere("iot", "CreateTopicRule", {
    ruleName: names.recordRule,
    topicRulePayload: recordRule(functionArn(functionNames.record)),
  });
  await unlessThere("iot", "CreateTopicRule", {
    ruleName: names.certificateRule,
    topicRulePayload: certificateRule(functionArn(functionNames.certificates)),
  });
  await invoke("sns", "CreateTopic", { Name: names.alertTopic });
  const alertTopic = `arn:${place.partition}:sns:${place.region}:${place.accountId}:${names.alertTopic}`;
  await invoke("monitoring", "PutMetricAlarm", replayAlarm([alertTopic]));
}
