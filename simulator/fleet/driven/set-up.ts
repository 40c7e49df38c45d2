import type { Cloud } from "../../cloud/cloud.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";
import type { PlannedDevice } from "./fleet-plan.ts";
import type { RegionSettings } from "./settings.ts";

/** Makes what the settings name, by the services' own operations. */
export async function setUpCloud(cloud: Cloud<LocalIot>, settings: RegionSettings): Promise<void> {
  const { policies, thingGroups, roleAlias, buckets, provisioningTemplates } = settings;
  for (const { name, document } of policies)
    await cloud.invoke("iot", "CreatePolicy", {
      policyName: name,
      policyDocument: JSON.stringify(document),
    });
  for (const thingGroupName of thingGroups) await cloud.invoke("iot", "CreateThingGroup", { thingGroupName });
  await cloud.invoke("iot", "CreateRoleAlias", {
    roleAlias: roleAlias.name,
    roleArn: roleAlias.roleArn,
    credentialDurationSeconds: roleAlias.credentialDurationSeconds,
  });
  for (const { name, body, roleArn } of provisioningTemplates)
    await cloud.invoke("iot", "CreateProvisioningTemplate", {
      templateName: name,
      templateBody: JSON.stringify(body),
      provisioningRoleArn: roleArn,
      enabled: true,
    });
  for (const Bucket of buckets) await cloud.invoke("s3", "CreateBucket", { Bucket });
}

/** Registers one hosted device and gives the id of its principal. */
export function joinDevice(
  cloud: Cloud<LocalIot>,
  thingName: string,
  settings: RegionSettings,
  planned: PlannedDevice,
): string {
  const { things } = cloud.iot.iot;
  const { devices } = settings;
  things.createThing(thingName, undefined, { ...devices.attributes, ...planned.attributes });
  for (const group of devices.groups) things.addToGroup(thingName, group);
  return issuePrincipal(cloud, thingName, thingName, settings);
}

/** A principal that proves itself by being in this process, and may what the settings say. Its id follows from `name`. */
export function issuePrincipal(
  { iot: { iot } }: Cloud<LocalIot>,
  thingName: string,
  name: string,
  { devices }: RegionSettings,
): string {
  const { things, certificates, policies } = iot;
  const { certificateId } = certificates.registerInProcess(name);
  things.principals.add(thingName, certificateId);
  for (const policy of devices.policies)
    policies.attached.add(policies.policy(policy).policyName, `cert/${certificateId}`);
  return certificateId;
}
