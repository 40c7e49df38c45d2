import { type EventEmitter, once as onceOf } from "node:events";
import { request } from "node:https";
import { connect as tlsConnect } from "node:tls";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { iot, iotidentity, iotjobs, mqtt5 } from "aws-iot-device-sdk-v2";
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "@coalmine/runtime/system-clock";
import { CertificateAuthority, type KeysAndCertificate } from "../identity/certificate-authority.ts";
import { type CloudIot, composeIot, everything } from "../iot/iot-rig.ts";
import { CloudEvents } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import { DeviceDoor } from "./device-door.ts";

/** The doors as clients that are not ours find them: MQTT.js, and the AWS IoT Device SDK with its own TLS. */

/** The clients' own types name fewer events than they emit. */
const once = (emitter: object, event: string): Promise<unknown[]> => onceOf(emitter as EventEmitter, event);

let authority: CertificateAuthority;
let parts: CloudIot;
let door: DeviceDoor;
let device: KeysAndCertificate & { certificateId: string };

beforeAll(async () => {
  const wallClock = systemClock;
  authority = await CertificateAuthority.open({ random: new SeededRandom("door"), wallClock });
  parts = composeIot(
    {
      place: { region: "us-east-1", accountId: "123456789012" },
      clock: systemClock,
      wallClock,
      random: new SeededRandom("iot"),
      store: memoryStore(),
      log: silentLog,
      events: new CloudEvents(),
    },
    { authority, endpoints: { data: () => "localhost", credentials: () => "localhost" } },
  );
  parts.iot.policies.create("all", JSON.stringify(everything));
  parts.iot.things.groups.create("fleet");
  door = await DeviceDoor.open({
    broker: parts.broker,
    iot: parts.iot,
    server: authority.serverCertificate(),
    wallClock,
    log: silentLog,
    credentials: parts.credentials.handle,
    dataPlane: ({ method, path, query, body }, { thingName }) => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        method,
        path,
        query: [...query],
        body: Buffer.from(body).toString(),
        thingName,
      }),
    }),
  });
  device = register("core", authority.keysAndCertificate());
});
afterAll(async () => {
  parts.broker.close();
  await door.close();
});

function register(thingName: string, keys: KeysAndCertificate) {
  const { certificateId } = parts.iot.certificates.register(keys.certificatePem, "ACTIVE");
  parts.iot.things.createThing(thingName);
  parts.iot.things.principals.add(thingName, certificateId);
  parts.iot.policies.attached.add("all", `cert/${certificateId}`);
  return { ...keys, certificateId };
}

const tls = (keys: KeysAndCertificate) => ({
  ca: authority.certificatePem,
  cert: keys.certificatePem,
  key: keys.privateKeyPem,
});

for (const protocolVersion of [4, 5] as const)
  test(`MQTT.js speaks version ${protocolVersion} with it, and resumes its session`, async () => {
    const clientId = `js-${protocolVersion}`;
    const options = {
      ...tls(device),
      clientId,
      protocolVersion,
      clean: false,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
    };
    const url = `mqtts://localhost:${door.ports.mqtt}`;
    const first = await mqtt.connectAsync(url, options);
    await first.subscribeAsync(`to/${clientId}/#`, { qos: 1 });
    const heard = once(first, "message");
    await first.publishAsync(`to/${clientId}/me`, "hello", { qos: 1 });
    expect(String((await heard)[1])).toBe("hello");
    await first.endAsync();
    parts.broker.publish(`to/${clientId}/me`, "while away");
    const second = mqtt.connect(url, options);
    const [heardAgain] = await Promise.all([once(second, "message"), once(second, "connect")]);
    expect(String(heardAgain[1])).toBe("while away");
    await second.endAsync();
  });

test("MQTT comes through the HTTPS door where ALPN asks for it", async () => {
  const client = await mqtt.connectAsync(`mqtts://localhost:${door.ports.alpn}`, {
    ...tls(device),
    ALPNProtocols: ["x-amzn-mqtt-ca"],
    clientId: "alpn",
  });
  expect(client.connected).toBe(true);
  await client.endAsync();
});

/** Resolves when the door lets the certificate in, rejects when it does not. */
async function knock(keys: Partial<KeysAndCertificate>): Promise<string> {
  const client = mqtt.connect(`mqtts://localhost:${door.ports.mqtt}`, {
    ca: authority.certificatePem,
    ...(keys.certificatePem === undefined
      ? {}
      : { cert: keys.certificatePem, key: keys.privateKeyPem ?? "" }),
    clientId: "knock",
    reconnectPeriod: 0,
  });
  const outcome = await Promise.race([
    once(client, "connect").then(
      () => "let in",
      () => "refused",
    ),
    once(client, "close").then(() => "refused"),
  ]);
  await client.endAsync(true);
  return outcome;
}

test("refuses no certificate, an unknown, an expired and an inactive one, and takes one registered without our authority", async () => {
  expect(await knock(device)).toBe("let in");
  expect(await knock({})).toBe("refused");
  expect(await knock(authority.keysAndCertificate())).toBe("refused");
  expect(await knock(register("expired", authority.expiredKeysAndCertificate()))).toBe("refused");
  const inactive = register("inactive", authority.keysAndCertificate());
  parts.iot.certificates.setStatus(inactive.certificateId, "INACTIVE");
  expect(await knock(inactive)).toBe("refused");
  const stranger = await CertificateAuthority.open({ random: new SeededRandom("x"), wallClock: systemClock });
  const foreign = stranger.keysAndCertificate();
  expect(await knock(foreign)).toBe("refused");
  expect(await knock(register("foreign", foreign))).toBe("let in");
});

test("a revoked certificate is cut from its live session", async () => {
  const keys = register("revoked", authority.keysAndCertificate());
  const client = await mqtt.connectAsync(`mqtts://localhost:${door.ports.mqtt}`, {
    ...tls(keys),
    clientId: "revoked",
    reconnectPeriod: 0,
  });
  const closed = once(client, "close");
  parts.iot.certificates.setStatus(keys.certificateId, "REVOKED");
  await closed;
  expect(await knock(keys)).toBe("refused");
});

function ask(
  port: number,
  path: string,
  keys: KeysAndCertificate,
  options: { headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asked = {
      host: "localhost",
      port,
      path,
      method: options.body === undefined ? "GET" : "POST",
      headers: options.headers ?? {},
      agent: false as const,
      ALPNProtocols: ["http/1.1"],
      ...tls(keys),
    };
    const outgoing = request(asked, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on("error", reject).end(options.body);
  });
}

test("the data plane gets the request as it came and the device that TLS proved", async () => {
  for (const port of [door.ports.dataPlane, door.ports.alpn]) {
    const answer = await ask(port, "/greengrass/v2/components/arn%3Aaws/x?s3EndpointType=GLOBAL", device, {
      body: "{}",
    });
    expect(JSON.parse(answer.body)).toEqual({
      method: "POST",
      path: "/greengrass/v2/components/arn%3Aaws/x",
      query: [["s3EndpointType", "GLOBAL"]],
      body: "{}",
      thingName: "core",
    });
  }
  expect((await ask(door.ports.dataPlane, "/", authority.keysAndCertificate())).status).toBe(403);
});

test("the credentials provider answers over mutual TLS", async () => {
  await parts.services[0]?.operations["CreateRoleAlias"]?.(
    { roleAlias: "tes", roleArn: "arn:aws:iam::123456789012:role/tes" },
    { identity: { kind: "account", principalArn: "operator" } },
  );
  const headers = { "x-amzn-iot-thingname": "core" };
  const answer = await ask(door.ports.credentials, "/role-aliases/tes/credentials", device, { headers });
  expect(answer.status).toBe(200);
  const { credentials } = JSON.parse(answer.body) as { credentials: Record<string, string> };
  expect(parts.resolveCredentials(credentials["accessKeyId"] ?? "")?.sessionToken).toBe(
    credentials["sessionToken"],
  );
});

test("bytes that are no TLS, and TLS that is no MQTT, end one connection only", async () => {
  const { connect } = await import("node:net");
  const raw = connect(door.ports.mqtt, "127.0.0.1");
  raw.on("error", () => {});
  raw.end(Buffer.from("GET / HTTP/1.0\r\n\r\n"));
  await once(raw, "close");
  const inside = tlsConnect({ port: door.ports.mqtt, host: "localhost", ...tls(device) });
  inside.on("error", () => {});
  inside.write(Buffer.alloc(200_000, 0xff));
  await once(inside, "close");
  expect(await knock(device)).toBe("let in");
});

async function crtClient(keys: KeysAndCertificate, clientId: string): Promise<mqtt5.Mqtt5Client> {
  const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
    "localhost",
    keys.certificatePem,
    keys.privateKeyPem,
  )
    .withCertificateAuthority(authority.certificatePem)
    .withPort(door.ports.mqtt)
    .withConnectProperties({ clientId, keepAliveIntervalSeconds: 60, sessionExpiryIntervalSeconds: 600 })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  const connected = once(client, "connectionSuccess");
  client.start();
  await connected;
  return client;
}

async function stop(client: mqtt5.Mqtt5Client): Promise<void> {
  const stopped = once(client, "stopped");
  client.stop();
  await stopped;
  client.close();
}

test("the AWS IoT Device SDK connects, subscribes and publishes with user properties", async () => {
  const client = await crtClient(device, "crt");
  const suback = await client.subscribe({
    subscriptions: [{ topicFilter: "crt/#", qos: mqtt5.QoS.AtLeastOnce }],
  });
  expect(suback.reasonCodes).toEqual([1]);
  const heard = once(client, "messageReceived");
  const puback = await client.publish({
    topicName: "crt/x",
    qos: mqtt5.QoS.AtLeastOnce,
    payload: "hello",
    userProperties: [{ name: "a", value: "b" }],
    responseTopic: "crt/answer",
  });
  expect((puback as mqtt5.PubackPacket).reasonCode).toBe(0);
  const [{ message }] = (await heard) as [mqtt5.MessageReceivedEvent];
  expect(Buffer.from(message.payload as ArrayBuffer).toString()).toBe("hello");
  expect(message).toMatchObject({ userProperties: [{ name: "a", value: "b" }], responseTopic: "crt/answer" });
  await stop(client);
});

const requestOptions = {
  maxRequestResponseSubscriptions: 10,
  maxStreamingSubscriptions: 5,
  operationTimeoutInSeconds: 10,
};

test("the AWS IoT Device SDK carries out a job", async () => {
  const client = await crtClient(device, "core");
  const jobs = iotjobs.IotJobsClientv2.newFromMqtt5(client, requestOptions);
  parts.iotJobs.create({
    jobId: "reboot",
    targets: [parts.iot.things.arn("thing", "core")],
    document: '{"do":"it"}',
  });
  const started = await jobs.startNextPendingJobExecution({ thingName: "core" });
  expect(started.execution).toMatchObject({
    jobId: "reboot",
    status: "IN_PROGRESS",
    jobDocument: { do: "it" },
  });
  await jobs.updateJobExecution({
    thingName: "core",
    jobId: "reboot",
    status: iotjobs.model.JobStatus.SUCCEEDED,
    statusDetails: { why: "done" },
    expectedVersion: started.execution?.versionNumber ?? 0,
  });
  expect(parts.iotJobs.job("reboot").status).toBe("COMPLETED");
  await expect(
    jobs.updateJobExecution({ thingName: "core", jobId: "reboot", status: iotjobs.model.JobStatus.FAILED }),
  ).rejects.toMatchObject({ modeledError: { code: "InvalidStateTransition" } });
  jobs.close();
  await stop(client);
});

test("the AWS IoT Device SDK provisions a device by claim, which then connects as itself", async () => {
  await parts.services[0]?.operations["CreateProvisioningTemplate"]?.(
    {
      templateName: "t",
      enabled: true,
      provisioningRoleArn: "r",
      templateBody: JSON.stringify({
        Parameters: { Serial: { Type: "String" } },
        Resources: {
          thing: {
            Type: "AWS::IoT::Thing",
            Properties: { ThingName: { Ref: "Serial" }, ThingGroups: ["fleet"] },
          },
          certificate: { Type: "AWS::IoT::Certificate", Properties: { Status: "ACTIVE" } },
          policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "all" } },
        },
      }),
    },
    { identity: { kind: "account", principalArn: "operator" } },
  );
  const claim = await crtClient(register("claim", authority.keysAndCertificate()), "claim-1");
  const identity = iotidentity.IotIdentityClientv2.newFromMqtt5(claim, requestOptions);
  const made = await identity.createKeysAndCertificate({});
  const registered = await identity.registerThing({
    templateName: "t",
    certificateOwnershipToken: made.certificateOwnershipToken ?? "",
    parameters: { Serial: "core-99" },
  });
  expect(registered.thingName).toBe("core-99");
  identity.close();
  await stop(claim);
  const own = await crtClient(
    { certificatePem: made.certificatePem ?? "", privateKeyPem: made.privateKey ?? "", publicKeyPem: "" },
    "core-99",
  );
  await stop(own);
  expect(parts.iot.things.groups.thingsIn("fleet")).toContain("core-99");
});
