import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { systemClock } from "@coalmine/runtime/system-clock";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { provisionByClaim } from "../provisioning/provision-by-claim.ts";
import { coreDevice } from "../../../test/artifacts-setup.ts";
import { processesIn, processRig, until } from "../testing/process-rig.ts";
import { MqttLink } from "./mqtt-link.ts";

let program: string;
let rig: Awaited<ReturnType<typeof processRig>>;
beforeAll(async () => {
  program = await coreDevice();
  rig = await processRig(program);
});
afterAll(() => rig.close());

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
console.log(JSON.stringify({ rate: value.rate, heard: await heard, denied, key: credentials.AccessKeyId.slice(0, 4), thing: process.env.AWS_IOT_THING_NAME, arenas: process.env.MALLOC_ARENA_MAX ?? "as many as they are", cwd: process.cwd() }));
setInterval(() => {}, 1000);
`;

test("a process device takes a deployment over TLS, serves the official client, survives a kill, and leaves nothing behind [core-device-9.1] [core-device-9.3]", async () => {
  const identity = await rig.operator.register("core-1");
  const root = await rig.rootOf(identity);
  const zip = zipSync({ "client.mjs": new TextEncoder().encode(client) });
  const accessControl = {
    "aws.greengrass.ipc.pubsub": {
      one: {
        operations: ["aws.greengrass#PublishToTopic", "aws.greengrass#SubscribeToTopic"],
        resources: ["a/*"],
      },
    },
  };
  await rig.operator.publish(
    "com.example.Client",
    "1.0.0",
    {
      Configuration: { rate: 5, accessControl },
      Dependencies: { "aws.greengrass.TokenExchangeService": { VersionRequirement: ">=2.0.0" } },
      Lifecycle: { Run: `exec "${process.execPath}" "{artifacts:decompressedPath}/artifact/client.mjs"` },
    },
    zip,
  );
  await rig.operator.publish("com.example.Shell", "1.0.0", {
    Lifecycle: { Run: "echo started; sleep 1000 & trap 'echo stopping; exit 0' TERM; wait" },
  });
  const first = await rig.start(root);
  await systemClock.sleep(2500);
  await rig.operator.deploy("thinggroup/fleet", {
    "com.example.Client": { componentVersion: "1.0.0" },
    "com.example.Shell": { componentVersion: "1.0.0" },
  });
  await until("the deployment succeeds", async () =>
    (await rig.operator.effective("core-1")).includes("SUCCEEDED"),
  );
  const written = `{"rate":5,"heard":{"hello":1},"denied":"denied","key":"ASIA","thing":"core-1","arenas":"as many as they are","cwd":"${root}/work/com.example.Client"}`;
  await until("the component's line", async () =>
    (await rig.logOf(root, "com.example.Client")).includes(written),
  );
  await until("the shell's line", async () =>
    (await rig.logOf(root, "com.example.Shell")).includes("stdout. started."),
  );

  first.kill("SIGKILL");
  await once(first, "exit");
  for (const pid of await processesIn(root)) process.kill(pid, "SIGKILL");
  const second = await rig.start(root);
  await until("both run again", async () => (await processesIn(root)).length >= 3);
  second.kill("SIGTERM");
  await once(second, "exit");
  expect(second.exitCode).toBe(0);
  expect(await processesIn(root)).toEqual([]);
  expect(await rig.logOf(root, "com.example.Shell")).toContain("stopping");
}, 60_000);

test("a claim becomes an identity of the device's own keys over TLS, and a wrong one is refused with AWS's word [core-device-9.2]", async () => {
  const claim = await rig.operator.register("claim");
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
  await rig.operator.invoke("iot", "CreateProvisioningTemplate", {
    templateName: "fleet",
    templateBody: JSON.stringify(template),
    enabled: true,
    provisioningRoleArn: "arn:aws:iam::123456789012:role/Provisioning",
  });
  const root = await rig.rootOf(claim);
  const link = (): MqttLink =>
    new MqttLink({
      clientId: "technician",
      host: "localhost",
      port: rig.cloud.ports.mqtt,
      certificateFilePath: join(root, "config/device.pem"),
      privateKeyPath: join(root, "config/device.key"),
      rootCaPath: join(rig.folder, "cloud/authority/ca.pem"),
    });
  const { privateKey, request: csr } = newSigningRequest("core-2");
  const asked = { template: "fleet", parameters: { SerialNumber: "core-2" }, certificateSigningRequest: csr };
  const identity = await provisionByClaim(link(), asked, systemClock);
  expect(identity.thingName).toBe("core-2");
  const made = await rig.rootOf({ ...identity, privateKey });
  const child = await rig.start(made);
  await until("the new core device is known", async () => {
    const { coreDevices } = await rig.operator.invoke("greengrass", "ListCoreDevices", {});
    return JSON.stringify(coreDevices).includes("core-2");
  });
  child.kill("SIGTERM");
  await once(child, "exit");
  await expect(provisionByClaim(link(), { ...asked, template: "none" }, systemClock)).rejects.toThrow(
    /ERR_PROVISIONING_REFUSED/,
  );
}, 60_000);

test("a root without a configuration is refused with a sentence", async () => {
  const child = spawn(process.execPath, [program, "--root", join(rig.folder, "none")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  await once(child, "exit");
  expect([child.exitCode, errors]).toEqual([
    1,
    expect.stringContaining("write the device's configuration there"),
  ]);
}, 20_000);
