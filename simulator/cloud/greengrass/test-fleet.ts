import {
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  GreengrassV2Client,
  type CreateComponentVersionCommandOutput,
  type CreateDeploymentCommandOutput,
} from "@aws-sdk/client-greengrassv2";
import { DrivenClock } from "@coalmine/runtime";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import {
  dataPlaneHandler,
  type DataPlaneRequest,
  type DataPlaneResponse,
  type DeviceIdentity,
} from "./data-plane.ts";

export const iotArn = "arn:aws:iot:us-east-1:123456789012";

/** Two things on a driven clock, one in the group `canary` and with a certificate; for tests. */
export interface TestFleet {
  readonly cloud: TestCloud;
  readonly clock: DrivenClock;
  readonly greengrass: GreengrassV2Client;
  readonly device: DeviceIdentity;
  readonly create: (recipeText: string) => Promise<CreateComponentVersionCommandOutput>;
  /** Creates the version and waits until it is deployable. */
  readonly publish: (name: string, version: string, artifact?: string) => Promise<void>;
  readonly deploy: (
    targetArn: string,
    components: Readonly<Record<string, string>>,
    more?: object,
  ) => Promise<CreateDeploymentCommandOutput>;
  readonly wait: (durationMs: number) => Promise<void>;
  readonly handle: (
    request: Partial<DataPlaneRequest> & { readonly path: string },
    as?: DeviceIdentity,
  ) => Promise<DataPlaneResponse>;
  close(): Promise<void>;
}

export async function startTestFleet(startMs = Date.parse("2030-01-01T00:00:00Z")): Promise<TestFleet> {
  const clock = new DrivenClock(startMs, () => new Promise(setImmediate));
  const cloud = await startTestCloud({ clock });
  const greengrass = new GreengrassV2Client(cloud.client);
  const device = await register(cloud);
  const wait = (durationMs: number): Promise<void> => clock.runUntil(clock.now() + durationMs);
  const create = (recipeText: string): Promise<CreateComponentVersionCommandOutput> =>
    greengrass.send(new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(recipeText) }));
  return {
    cloud,
    clock,
    greengrass,
    device,
    create,
    publish: async (name, version, artifact) => {
      await create(recipe(name, version, artifact));
      await wait(5_000);
    },
    deploy: (targetArn, components, more = {}) =>
      greengrass.send(
        new CreateDeploymentCommand({
          targetArn,
          deploymentName: "release",
          components: Object.fromEntries(
            Object.entries(components).map(([name, componentVersion]) => [name, { componentVersion }]),
          ),
          ...more,
        }),
      ),
    wait,
    handle: (request, as = device) =>
      dataPlaneHandler(cloud.cloud.dataPlane)(
        { method: "GET", query: new URLSearchParams(), body: new Uint8Array(), ...request },
        as,
      ),
    close: async () => {
      greengrass.destroy();
      await cloud.close();
    },
  };
}

async function register({ cloud }: TestCloud): Promise<DeviceIdentity> {
  const invoke = (operation: string, input: object) => cloud.invoke("iot", operation, input);
  for (const thingName of ["core-1", "core-2"]) await invoke("CreateThing", { thingName });
  await invoke("CreateThingGroup", { thingGroupName: "canary" });
  await invoke("AddThingToThingGroup", { thingName: "core-1", thingGroupName: "canary" });
  const made: { certificateId?: string; certificateArn?: string } = await invoke("CreateKeysAndCertificate", {
    setAsActive: true,
  });
  await invoke("CreatePolicy", {
    policyName: "core",
    policyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "greengrass:*", Resource: "*" }],
    }),
  });
  await invoke("AttachPolicy", { policyName: "core", target: made.certificateArn });
  await invoke("AttachThingPrincipal", { thingName: "core-1", principal: made.certificateArn });
  await cloud.invoke("s3", "CreateBucket", { Bucket: "artifacts" });
  return { thingName: "core-1", certificateId: made.certificateId ?? "" };
}

export function recipe(name: string, version: string, artifact?: string): string {
  return JSON.stringify({
    RecipeFormatVersion: "2020-01-25",
    ComponentName: name,
    ComponentVersion: version,
    ComponentPublisher: "Coalmine",
    Manifests: [
      {
        Platform: { os: "linux" },
        Lifecycle: { Run: "true" },
        ...(artifact === undefined ? {} : { Artifacts: [{ URI: artifact }] }),
      },
    ],
  });
}
