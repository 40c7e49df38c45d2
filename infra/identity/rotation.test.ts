import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  CreateTopicRuleCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { ThingName } from "@coalmine/contract";
import {
  CertificateAnswer,
  certificateAnswerTopic,
  type CertificateMessage,
  certificateTopic,
} from "@coalmine/contract/commissioning";
import { newSigningRequest } from "@coalmine/device/signing-request";
import type { Link } from "@coalmine/ports";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  type ClaimCloud,
  closeClaimCloud,
  ensureCommissioningTable,
  openClaimCloud,
} from "../../api/claims/claim-cloud.ts";
import { activeCertificates, statusOf } from "../../api/devices/registry.ts";
import { linkPair } from "../../simulator/cloud/broker/link-pair.ts";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { HostedMqttLink } from "../../simulator/core-device/hosted/mqtt-link.ts";
import { commissioningFunctions, functionNames } from "./functions.ts";
import { certificateRule, devicePolicy, names } from "./identity.ts";

const DEVICES = process.env["COALMINE_LONG"] === "1" ? 50 : 5;
const READING_MS = 20;
const PATIENCE_MS = 60_000;

let cloud: TestCloud;
let iot: IoTClient;
let claims: ClaimCloud;
/** Thing → sequences of readings that the cloud has heard. */
const heard = new Map<string, Set<number>>();

beforeAll(async () => {
  const functions: Record<string, (event: unknown) => unknown> = {};
  const certificates = functionNames.certificates;
  cloud = await startTestCloud({
    functions: { [certificates]: (event) => functions[certificates]?.(event) },
  });
  iot = new IoTClient(cloud.client);
  claims = openClaimCloud(cloud.client, { clock: systemClock, log: silentLog, template: "t", bucket: "b" });
  await ensureCommissioningTable(claims);
  Object.assign(functions, commissioningFunctions(claims));
  const place = { region: "us-east-1", accountId: "123456789012", partition: "aws" };
  const policyDocument = JSON.stringify(devicePolicy(place));
  await iot.send(new CreatePolicyCommand({ policyName: names.devicePolicy, policyDocument }));
  const topicRulePayload = certificateRule(`arn:aws:lambda:us-east-1:123456789012:function:${certificates}`);
  await iot.send(new CreateTopicRuleCommand({ ruleName: names.certificateRule, topicRulePayload }));
  cloud.cloud.events.on((event) => {
    const thing =
      event.kind === "mqtt-message" ? /^coalmine\/([^/]+)\/readings$/.exec(event.topic)?.[1] : undefined;
    if (thing === undefined || event.kind !== "mqtt-message") return;
    const sequences = heard.get(thing) ?? new Set();
    heard.set(thing, sequences.add(Number(Buffer.from(event.payload).toString("utf8"))));
  });
});
afterAll(async () => {
  iot.destroy();
  closeClaimCloud(claims);
  await cloud.close();
});

/** A device in this process that sends a reading every few milliseconds, and each again until it is acknowledged. */
class SendingDevice {
  readonly thing: ThingName;
  certificateId = "";
  sent = 0;
  readonly #link: HostedMqttLink;
  #line: Link | undefined;
  #isConnected = false;
  #sending: Promise<void> | undefined;
  #isStopped = false;
  #answer: ((answer: CertificateAnswer) => void) | undefined;

  constructor(index: number) {
    this.thing = ThingName.parse(`hosted-${String(index).padStart(4, "0")}`);
    const { broker } = cloud.cloud.iot;
    this.#link = new HostedMqttLink({
      clientId: this.thing,
      clock: systemClock,
      random: new SeededRandom(this.thing),
      open: async () => {
        const [near, far] = linkPair();
        broker.accept(far, { certificateId: this.certificateId, thingName: this.thing, kind: "in-process" });
        this.#line = near;
        return near;
      },
    });
  }

  async start(): Promise<void> {
    const { thing } = this;
    await iot.send(new CreateThingCommand({ thingName: thing }));
    const { certificateArn = "", certificateId = "" } = await iot.send(
      new CreateCertificateFromCsrCommand({
        certificateSigningRequest: newSigningRequest(thing).request,
        setAsActive: true,
      }),
    );
    await iot.send(new AttachPolicyCommand({ policyName: names.devicePolicy, target: certificateArn }));
    await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal: certificateArn }));
    this.certificateId = certificateId;
    this.#link.start({
      connected: () => (this.#isConnected = true),
      disconnected: () => (this.#isConnected = false),
      message: (topic, payload) => {
        if (topic === certificateAnswerTopic(thing))
          this.#answer?.(CertificateAnswer.parse(JSON.parse(Buffer.from(payload).toString("utf8"))));
      },
    });
    await this.#untilConnected();
    await this.#link.subscribe(certificateAnswerTopic(thing), 1);
    this.#sending = this.#send();
  }

  /** Asks with the one that counts, connects with the new one, and confirms with it. */
  async rotate(): Promise<void> {
    const answered = new Promise<CertificateAnswer>((resolve) => (this.#answer = resolve));
    await this.#say({ version: 1, kind: "request", request: newSigningRequest(this.thing).request });
    this.certificateId = (await answered).certificateId;
    await this.#line?.close();
    await this.#untilConnected();
    await this.#say({ version: 1, kind: "confirm" });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#sending;
    await this.#link.stop();
  }

  #say(message: CertificateMessage): Promise<void> {
    return this.#link.publish(certificateTopic(this.thing), Buffer.from(JSON.stringify(message)), 1);
  }

  #untilConnected(): Promise<void> {
    return vi.waitFor(() => expect(this.#isConnected).toBe(true), PATIENCE_MS);
  }

  async #send(): Promise<void> {
    while (!this.#isStopped) {
      const sequence = this.sent + 1;
      const done = await this.#link
        .publish(`coalmine/${this.thing}/readings`, Buffer.from(String(sequence)), 1)
        .then(
          () => true,
          () => false,
        );
      if (done) this.sent = sequence;
      await systemClock.sleep(READING_MS);
    }
  }
}

test(`${DEVICES} hosted devices change their certificates while they send, the old ones are revoked, and no reading is lost`, async () => {
  const devices = Array.from({ length: DEVICES }, (_, index) => new SendingDevice(index + 1));
  await Promise.all(devices.map((device) => device.start()));
  const former = devices.map(({ certificateId }) => certificateId);
  await Promise.all(devices.map((device) => device.rotate()));
  await vi.waitFor(async () => {
    for (const { thing, certificateId } of devices)
      expect(await activeCertificates(claims, thing)).toEqual([certificateId]);
  }, PATIENCE_MS);
  for (const certificateId of former) expect(await statusOf(claims, certificateId)).toBe("REVOKED");
  const before = devices.map(({ sent }) => sent);
  // They go on sending with the new one alone.
  await vi.waitFor(
    () => expect(devices.every(({ sent }, index) => sent > (before[index] ?? 0) + 3)).toBe(true),
    PATIENCE_MS,
  );
  await Promise.all(devices.map((device) => device.stop()));
  for (const { thing, sent } of devices) {
    const sequences = [...(heard.get(thing) ?? [])].sort((a, b) => a - b).slice(0, sent);
    expect(sequences, thing).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
  }
});

test("no session begins with a certificate that was revoked", async () => {
  const device = new SendingDevice(1001);
  await device.start();
  const old = device.certificateId;
  await device.rotate();
  await vi.waitFor(async () => expect(await statusOf(claims, old)).toBe("REVOKED"), PATIENCE_MS);
  await device.stop();
  const refusals: string[] = [];
  const again = new HostedMqttLink({
    clientId: device.thing,
    clock: systemClock,
    random: new SeededRandom("again"),
    open: async () => {
      const [near, far] = linkPair();
      cloud.cloud.iot.broker.accept(far, { certificateId: old, thingName: device.thing, kind: "in-process" });
      return near;
    },
  });
  again.start({
    connected: () => refusals.push("CONNECTED"),
    disconnected: (reason) => refusals.push(reason),
    message: () => undefined,
  });
  await vi.waitFor(() => expect(refusals.length).toBeGreaterThan(0), PATIENCE_MS);
  await again.stop();
  expect(refusals).not.toContain("CONNECTED");
});
