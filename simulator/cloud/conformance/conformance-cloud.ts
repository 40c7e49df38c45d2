import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  DescribeComponentCommand,
  GreengrassV2Client,
  ListEffectiveDeploymentsCommand,
  type CreateDeploymentCommandInput,
  type CreateDeploymentCommandOutput,
  type EffectiveDeployment,
} from "@aws-sdk/client-greengrassv2";
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateRoleAliasCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "@coalmine/ports";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { operator } from "../protocol/test-cloud.ts";
import { startCloud, type StartedCloud } from "../start-cloud.ts";
import { ScriptedNucleus, type DeviceKeys, type Json } from "./scripted-nucleus.ts";

export const iotArn = "arn:aws:iot:us-east-1:123456789012";
export const CONTROL_TOKEN = "conformance";
export const ROLE_ALIAS = "LocalRoleAlias";

/** The least that a core device's policy has to allow, by the developer guide. */
const minimalPolicy = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: "iot:Connect",
      Resource: `${iotArn}:client/\${iot:Connection.Thing.ThingName}*`,
    },
    {
      Effect: "Allow",
      Action: ["iot:Receive", "iot:Publish"],
      Resource: ["greengrass/health/json", "greengrassv2/health/json", "jobs/*", "shadow/*"].map(
        (rest) => `${iotArn}:topic/$aws/things/\${iot:Connection.Thing.ThingName}*/${rest}`,
      ),
    },
    {
      Effect: "Allow",
      Action: "iot:Subscribe",
      Resource: ["jobs/*", "shadow/*"].map(
        (rest) => `${iotArn}:topicfilter/$aws/things/\${iot:Connection.Thing.ThingName}*/${rest}`,
      ),
    },
    {
      Effect: "Allow",
      Action: "iot:AssumeRoleWithCertificate",
      Resource: `${iotArn}:rolealias/${ROLE_ALIAS}`,
    },
    {
      Effect: "Allow",
      Action: [
        "greengrass:GetComponentVersionArtifact",
        "greengrass:ResolveComponentCandidates",
        "greengrass:GetDeploymentConfiguration",
        "greengrass:ListThingGroupsForCoreDevice",
      ],
      Resource: "*",
    },
  ],
};

/** A whole cloud with its doors and its state on disk, and an operator who speaks to it by the SDK. For tests. */
export class ConformanceCloud {
  readonly iot: IoTClient;
  readonly greengrass: GreengrassV2Client;
  readonly s3: S3Client;
  readonly caPem: string;
  readonly #folder: string;
  readonly #clock: Clock;
  #cloud: StartedCloud;

  private constructor(folder: string, clock: Clock, cloud: StartedCloud, caPem: string) {
    this.#folder = folder;
    this.#clock = clock;
    this.#cloud = cloud;
    this.caPem = caPem;
    const client = { endpoint: cloud.endpoint, region: "us-east-1", credentials: operator, maxAttempts: 1 };
    this.iot = new IoTClient(client);
    this.greengrass = new GreengrassV2Client(client);
    this.s3 = new S3Client(client);
  }

  static async start(clock: Clock = systemClock): Promise<ConformanceCloud> {
    const folder = await mkdtemp(join(tmpdir(), "coalmine-conformance-"));
    const cloud = await startOn(folder, clock);
    const made = new ConformanceCloud(
      folder,
      clock,
      cloud,
      await readFile(join(folder, "authority/ca.pem"), "utf8"),
    );
    await made.iot.send(
      new CreatePolicyCommand({ policyName: "core", policyDocument: JSON.stringify(minimalPolicy) }),
    );
    await made.iot.send(
      new CreateRoleAliasCommand({ roleAlias: ROLE_ALIAS, roleArn: "arn:aws:iam::123456789012:role/tes" }),
    );
    await made.s3.send(new CreateBucketCommand({ Bucket: "artifacts" }));
    return made;
  }

  get doors(): StartedCloud["ports"] {
    return this.#cloud.ports;
  }
  get endpoint(): string {
    return this.#cloud.endpoint;
  }

  /** A command of the control API: its status and answer. */
  async control(command: string, body: object): Promise<{ status: number; body: Json }> {
    const answer = await fetch(`${this.endpoint}/control/${command}`, {
      method: "POST",
      headers: { authorization: `Bearer ${CONTROL_TOKEN}` },
      body: JSON.stringify(body),
    });
    const told: Json = await answer.json();
    return { status: answer.status, body: told };
  }

  /** Another process on the same state and ports, as far as a device can tell. */
  async restart(): Promise<void> {
    const { ports } = this.#cloud;
    await this.#cloud.close();
    this.#cloud = await startOn(this.#folder, this.#clock, ports);
  }

  async close(): Promise<void> {
    for (const client of [this.iot, this.greengrass, this.s3]) client.destroy();
    await this.#cloud.close();
    await rm(this.#folder, { recursive: true });
  }

  /** A thing with a certificate and the core policy, in those groups. */
  async device(thingName: string, ...groups: string[]): Promise<ScriptedNucleus & { certificateId: string }> {
    const keys = await this.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const { certificateArn, certificateId = "", certificatePem = "", keyPair } = keys;
    await this.iot.send(new CreateThingCommand({ thingName }));
    await this.iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    await this.iot.send(new AttachPolicyCommand({ policyName: "core", target: certificateArn }));
    for (const thingGroupName of groups) await this.group(thingGroupName, thingName);
    const nucleus = this.nucleus(thingName, { certificatePem, privateKeyPem: keyPair?.PrivateKey ?? "" });
    return Object.assign(nucleus, { certificateId });
  }

  nucleus(thingName: string, keys: Omit<DeviceKeys, "caPem">): ScriptedNucleus {
    return new ScriptedNucleus(thingName, this.doors, { ...keys, caPem: this.caPem });
  }

  /** Makes the group where it is not there, and puts the things in. */
  async group(thingGroupName: string, ...things: string[]): Promise<void> {
    await this.iot.send(new CreateThingGroupCommand({ thingGroupName }));
    for (const thingName of things)
      await this.iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName }));
  }

  /** Publishes the version with one artifact, `run.sh`, and waits until it is deployable. */
  async component(name: string, version: string, more: object = {}): Promise<string> {
    const key = `${name}/${version}/run.sh`;
    await this.s3.send(
      new PutObjectCommand({ Bucket: "artifacts", Key: key, Body: `echo ${name} ${version}` }),
    );
    const manifest = { Platform: { os: "linux" }, Lifecycle: { Run: "sh {artifacts:path}/run.sh" } };
    const recipe = {
      RecipeFormatVersion: "2020-01-25",
      ComponentName: name,
      ComponentVersion: version,
      Manifests: [{ ...manifest, Artifacts: [{ URI: `s3://artifacts/${key}` }] }],
      ...more,
    };
    const { arn = "" } = await this.greengrass.send(
      new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(JSON.stringify(recipe)) }),
    );
    for (;;) {
      const { status } = await this.greengrass.send(new DescribeComponentCommand({ arn }));
      if (status?.componentState === "DEPLOYABLE") return arn;
      if (status?.componentState === "FAILED") throw new Error(`${arn} failed: ${status.message}`);
      await systemClock.sleep(100);
    }
  }

  deploy(
    targetArn: string,
    components: Readonly<Record<string, string>>,
    more: Partial<CreateDeploymentCommandInput> = {},
  ): Promise<CreateDeploymentCommandOutput> {
    const listed = Object.entries(components).map(([name, componentVersion]) => [name, { componentVersion }]);
    return this.greengrass.send(
      new CreateDeploymentCommand({ targetArn, components: Object.fromEntries(listed), ...more }),
    );
  }

  async effective(coreDeviceThingName: string): Promise<EffectiveDeployment[]> {
    const asked = new ListEffectiveDeploymentsCommand({ coreDeviceThingName });
    return (await this.greengrass.send(asked)).effectiveDeployments ?? [];
  }
}

function startOn(folder: string, clock: Clock, ports?: StartedCloud["ports"]): Promise<StartedCloud> {
  return startCloud({
    folder,
    region: "us-east-1",
    accountId: "123456789012",
    host: "127.0.0.1",
    port: ports?.http ?? 0,
    allowRemote: false,
    devicePorts: ports ?? { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
    credentials: operator,
    controlToken: CONTROL_TOKEN,
    clock,
    wallClock: systemClock,
    random: new SeededRandom(`conformance ${performance.now()}`),
    log: silentLog,
  });
}
