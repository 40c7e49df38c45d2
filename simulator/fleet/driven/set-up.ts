import type { Cloud } from "../../cloud/cloud.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";
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

/** Registers one hosted device and gives the id of its principal, which proves itself by being in this process. */
export function joinDevice(
  { iot: { iot } }: Cloud<LocalIot>,
  thingName: string,
  { devices }: RegionSettings,
): string {
  const { things, certificates, policies } = iot;
  things.createThing(thingName, undefined, devices.attributes);
  for (const group of devices.groups) things.addToGroup(thingName, group);
  const { certificateId } = certificates.registerInProcess(thingName);
  things.principals.add(thingName, certificateId);
  for (const name of devices.policies)
    policies.attached.add(policies.policy(name).policyName, `cert/${certificateId}`);
  return certificateId;
}
