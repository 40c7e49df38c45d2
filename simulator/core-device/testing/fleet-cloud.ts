import type { JsonObject } from "@coalmine/ports";
import * as z from "zod";
import type { Cloud } from "../../cloud/cloud.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";

const ACCOUNT = "123456789012";
const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };

const Made = z.object({
  certificateId: z.string(),
  certificateArn: z.string(),
  certificatePem: z.string(),
  keyPair: z.object({ PrivateKey: z.string() }),
});
const Effective = z.object({
  effectiveDeployments: z.array(z.object({ coreDeviceExecutionStatus: z.string() })),
});

export interface Registered {
  readonly thingName: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly privateKey: string;
}

/** What an operator does in a cloud before there is a fleet, and then to it. */
export function operatorOf(cloud: Cloud<LocalIot>) {
  const invoke = async (service: string, operation: string, input: object): Promise<JsonObject> =>
    JSON.parse(JSON.stringify(await cloud.invoke(service, operation, input)));
  return {
    invoke,
    async setUp(): Promise<void> {
      await invoke("s3", "CreateBucket", { Bucket: "artifacts" });
      await invoke("iot", "CreateThingGroup", { thingGroupName: "fleet" });
      await invoke("iot", "CreatePolicy", { policyName: "core", policyDocument: JSON.stringify(everything) });
      const roleArn = `arn:aws:iam::${ACCOUNT}:role/TokenExchange`;
      await invoke("iot", "CreateRoleAlias", { roleAlias: "Alias", roleArn });
    },
    async register(thingName: string): Promise<Registered> {
      await invoke("iot", "CreateThing", { thingName });
      await invoke("iot", "AddThingToThingGroup", { thingName, thingGroupName: "fleet" });
      const made = Made.parse(await invoke("iot", "CreateKeysAndCertificate", { setAsActive: true }));
      await invoke("iot", "AttachPolicy", { policyName: "core", target: made.certificateArn });
      await invoke("iot", "AttachThingPrincipal", { thingName, principal: made.certificateArn });
      return {
        thingName,
        certificateId: made.certificateId,
        certificatePem: made.certificatePem,
        privateKey: made.keyPair.PrivateKey,
      };
    },
    async publish(name: string, version: string, recipe: JsonObject, zip?: Uint8Array): Promise<void> {
      const Key = `${name}/${version}/artifact.zip`;
      if (zip !== undefined) await cloud.invoke("s3", "PutObject", { Bucket: "artifacts", Key, Body: zip });
      const text = JSON.stringify({
        RecipeFormatVersion: "2020-01-25",
        ComponentName: name,
        ComponentVersion: version,
        ComponentConfiguration: { DefaultConfiguration: recipe["Configuration"] ?? {} },
        ComponentDependencies: recipe["Dependencies"] ?? {},
        Manifests: [
          {
            Lifecycle: recipe["Lifecycle"],
            Artifacts: zip === undefined ? [] : [{ URI: `s3://artifacts/${Key}`, Unarchive: "ZIP" }],
          },
        ],
      });
      await cloud.invoke("greengrass", "CreateComponentVersion", { inlineRecipe: Buffer.from(text) });
    },
    async deploy(target: string, components: JsonObject): Promise<void> {
      await cloud.invoke("greengrass", "CreateDeployment", {
        targetArn: `arn:aws:iot:us-east-1:${ACCOUNT}:${target}`,
        components,
        deploymentPolicies: { componentUpdatePolicy: { action: "NOTIFY_COMPONENTS", timeoutInSeconds: 5 } },
      });
    },
    async effective(thingName: string): Promise<string[]> {
      const answer = await invoke("greengrass", "ListEffectiveDeployments", {
        coreDeviceThingName: thingName,
      });
      return Effective.parse(answer).effectiveDeployments.map((entry) => entry.coreDeviceExecutionStatus);
    },
  };
}
