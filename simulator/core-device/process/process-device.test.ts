import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCloud, type StartedCloud } from "../../cloud/start-cloud.ts";
import { operatorOf, type Registered } from "../testing/fleet-cloud.ts";
import { provisionByClaim } from "../provisioning/provision-by-claim.ts";
import { MqttLink } from "./mqtt-link.ts";

/** A device as its own process, over TLS, against a cloud that it reaches only by its network doors. */

let folder: string;
let cloud: StartedCloud;
let operator: ReturnType<typeof operatorOf>;
const children: ChildProcess[] = [];
/** A machine on which tests run as root has no user of Greengrass's. */
const asRoot = process.getuid?.() === 0 ? ["--component-default-user", "root"] : [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coalmine-device-"));
  cloud = await startCloud({
    folder: join(folder, "cloud"),
    region: "us-east-1",
    accountId: "123456789012",
    host: "127.0.0.1",
    port: 0,
    allowRemote: false,
    devicePorts: { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
    credentials: { accessKeyId: "AKIACOALMINELOCAL000", secretAccessKey: "local-secret" },
    controlToken: "control",
    clock: systemClock,
    wallClock: systemClock,
    random: new SeededRandom("cloud"),
    log: silentLog,
  });
  operator = operatorOf(cloud.cloud);
  await operator.setUp();
}, 30_000);

afterAll(async () => {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await cloud.close();
  await rm(folder, { recursive: true });
});

/** What commissioning leaves on a device. */
async function rootOf(identity: Registered): Promise<string> {
  const root = join(folder, identity.thingName);
  await mkdir(join(root, "config"), { recursive: true });
  const path = (name: string): string => join(root, "config", name);
  await writeFile(path("device.pem"), identity.certificatePem);
  await writeFile(path("device.key"), identity.privateKey);
  await writeFile(
    path("config.yaml"),
    JSON.stringify({
      system: {
        thingName: identity.thingName,
        certificateFilePath: path("device.pem"),
        privateKeyPath: path("device.key"),
        rootCaPath: join(folder, "cloud/authority/ca.pem"),
      },
      services: {
        "aws.greengrass.Nucleus": {
          configuration: {
            awsRegion: "us-east-1",
            iotRoleAlias: "Alias",
            iotDataEndpoint: "localhost",
            mqtt: { port: cloud.ports.mqtt },
            iotCredEndpoint: `localhost:${cloud.ports.credentials}`,
            greengrassDataPlaneEndpoint: "localhost",
            greengrassDataPlanePort: cloud.ports.dataPlane,
            deploymentPollingFrequencySeconds: 1,
          },
        },
      },
    }),
  );
  return root;
}

async function start(root: string, ...words: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), "--root", root, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], HOME: folder, AWS_ENDPOINT_URL: cloud.endpoint },
  });
  children.push(child);
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout })) {
    expect(line).toContain("is up");
    return child;
  }
  throw new Error("the device said nothing");
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds()) return;
    await systemClock.sleep(100);
  }
  throw new Error(`never: ${what}`);
}

const logOf = async (root: string, name: string): Promise<string> =>
  readFile(join(root, "logs", `${name}.log`), "utf8").catch(() => "");

/** A component that uses the official IPC client, as every real one does. */
const client = `
import { createRequire } from "node:module";
const { greengrasscoreipc } = createRequire(${JSON.stringify(join(import.meta.dirname, "x.js"))})("aws-iot-device-sdk-v2");
const ipc = greengrasscoreipc.createClient();
await ipc.connect();
const { value } = await ipc.getConfiguration({ keyPath: [] });
const stream = ipc.subscribeToTopic({ topic: "a/b", receiveMode: "RECEIVE_ALL_MESSAGES" });
const heard = new Promise((resolve) => stream.on("message", (event) => resolve(event.jsonMessage.message)));
await stream.activate();
await ipc.publishToTopic({ topic: "a/b", publishMessage: { jsonMessage: { message: { hello: 1 } } } });
const denied = await ipc.publishToTopic({ topic: "c", publishMessage: { jsonMessage: { message: {} } } }).then(() => "allowed", () => "denied");
const credentials = await fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI, {
  headers: { authorization: process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN },
}).then((answer) => answer.json());
console.log(JSON.stringify({ rate: value.rate, heard: await heard, denied, key: credentials.AccessKeyId.slice(0, 4), thing: process.env.AWS_IOT_THING_NAME, cwd: process.cwd() }));
setInterval(() => {}, 1000);
`;

test("a process device takes a deployment over TLS, serves the official client, survives a kill, and leaves nothing behind [core-device-9.1]", async () => {
  const identity = await operator.register("core-1");
  const root = await rootOf(identity);
  const zip = zipSync({ "client.mjs": new TextEncoder().encode(client) });
  const accessControl = {
    "aws.greengrass.ipc.pubsub": {
      one: {
        operations: ["aws.greengrass#PublishToTopic", "aws.greengrass#SubscribeToTopic"],
        resources: ["a/*"],
      },
    },
  };
  await operator.publish(
    "com.example.Client",
    "1.0.0",
    {
      Configuration: { rate: 5, accessControl },
      Dependencies: { "aws.greengrass.TokenExchangeService": { VersionRequirement: ">=2.0.0" } },
      Lifecycle: { Run: `exec "${process.execPath}" "{artifacts:decompressedPath}/artifact/client.mjs"` },
    },
    zip,
  );
  await operator.publish("com.example.Shell", "1.0.0", {
    Lifecycle: { Run: "echo started; sleep 1000 & trap 'echo stopping; exit 0' TERM; wait" },
  });
  const first = await start(root, ...asRoot);
  await systemClock.sleep(2500);
  await operator.deploy("thinggroup/fleet", {
    "com.example.Client": { componentVersion: "1.0.0" },
    "com.example.Shell": { componentVersion: "1.0.0" },
  });
  await until("the deployment succeeds", async () =>
    (await operator.effective("core-1")).includes("SUCCEEDED"),
  );
  const written = `{"rate":5,"heard":{"hello":1},"denied":"denied","key":"ASIA","thing":"core-1","cwd":"${root}/work/com.example.Client"}`;
  await until("the component's line", async () =>
    (await logOf(root, "com.example.Client")).includes(written),
  );
  await until("the shell's line", async () =>
    (await logOf(root, "com.example.Shell")).includes("stdout. started."),
  );

  first.kill("SIGKILL");
  await once(first, "exit");
  for (const pid of await processesIn(root)) process.kill(pid, "SIGKILL");
  const second = await start(root, ...asRoot);
  await until("both run again", async () => (await processesIn(root)).length >= 3);
  second.kill("SIGTERM");
  await once(second, "exit");
  expect(second.exitCode).toBe(0);
  expect(await processesIn(root)).toEqual([]);
  expect(await logOf(root, "com.example.Shell")).toContain("stopping");
}, 60_000);

test("a claim becomes an identity of the device's own keys over TLS, and a wrong one is refused with AWS's word [core-device-9.2]", async () => {
  const claim = await operator.register("claim");
  const template = {
    Parameters: { SerialNumber: { Type: "String" }, "AWS::IoT::Certificate::Id": { Type: "String" } },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        Properties: { ThingName: { Ref: "SerialNumber" }, ThingGroups: ["fleet"] },
      },
      certificate: {
        Type: "AWS::IoT::Certificate",
        Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
      },
      policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "core" } },
    },
  };
  await operator.invoke("iot", "CreateProvisioningTemplate", {
    templateName: "fleet",
    templateBody: JSON.stringify(template),
    enabled: true,
    provisioningRoleArn: "arn:aws:iam::123456789012:role/Provisioning",
  });
  const root = await rootOf(claim);
  const link = (): MqttLink =>
    new MqttLink({
      clientId: "technician",
      host: "localhost",
      port: cloud.ports.mqtt,
      certificateFilePath: join(root, "config/device.pem"),
      privateKeyPath: join(root, "config/device.key"),
      rootCaPath: join(folder, "cloud/authority/ca.pem"),
    });
  const { privateKey, request: csr } = newSigningRequest("core-2");
  const asked = { template: "fleet", parameters: { SerialNumber: "core-2" }, certificateSigningRequest: csr };
  const identity = await provisionByClaim(link(), asked, systemClock);
  expect(identity.thingName).toBe("core-2");
  const made = await rootOf({ ...identity, privateKey });
  const child = await start(made, ...asRoot);
  await until("the new core device is known", async () => {
    const { coreDevices } = await operator.invoke("greengrass", "ListCoreDevices", {});
    return JSON.stringify(coreDevices).includes("core-2");
  });
  child.kill("SIGTERM");
  await once(child, "exit");
  await expect(provisionByClaim(link(), { ...asked, template: "none" }, systemClock)).rejects.toThrow(
    /ERR_PROVISIONING_REFUSED/,
  );
}, 60_000);

test("a root without a configuration is refused with a sentence", async () => {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "../main.ts"), "--root", join(folder, "none")],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  await once(child, "exit");
  expect([child.exitCode, errors]).toEqual([
    1,
    expect.stringContaining("write the device's configuration there"),
  ]);
}, 20_000);

/** Processes that stand in a work folder of the device: its components and what they started. */
async function processesIn(root: string): Promise<number[]> {
  return (await readdir("/proc"))
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${root}/work/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
