import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { CreateThingCommand, DescribeThingCommand, IoTClient, ListThingsCommand } from "@aws-sdk/client-iot";
import { GreengrassV2Client, ListDeploymentsCommand } from "@aws-sdk/client-greengrassv2";
import { ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ConformanceCloud, ROLE_ALIAS } from "../conformance/conformance-cloud.ts";
import { topicsOf } from "../conformance/nucleus-words.ts";
import { operator } from "../protocol/test-cloud.ts";
import { Fault } from "./fault.ts";
import { Faults } from "./faults.ts";
import { JumpingClock } from "./jumping-clock.ts";

let cloud: ConformanceCloud;
beforeAll(async () => {
  cloud = await ConformanceCloud.start();
});
afterEach(() => cloud.control("clear-faults", {}));
afterAll(() => cloud.close());

const client = (maxAttempts = 1) => ({
  endpoint: cloud.endpoint,
  region: "us-east-1",
  credentials: operator,
  maxAttempts,
});
async function inject(fault: object): Promise<string> {
  const { status, body } = await cloud.control("inject-fault", fault);
  expect([status, body]).toEqual([200, expect.objectContaining({ id: expect.stringMatching(/^fault-/) })]);
  return body.id;
}
const inForce = async (): Promise<object[]> => (await cloud.control("list-faults", {})).body.faults;

test("a service throttles and fails by its own shapes, which its own client retries", async () => {
  await inject({ kind: "throttle", service: "greengrass", operation: "ListDeployments", count: 1 });
  await expect(new GreengrassV2Client(client()).send(new ListDeploymentsCommand({}))).rejects.toMatchObject({
    name: "ThrottlingException",
    retryAfterSeconds: 1,
  });
  // It struck once, and is over.
  expect(await inForce()).toEqual([]);
  await inject({ kind: "throttle", service: "s3", count: 2 });
  await inject({ kind: "error", service: "dynamodb", count: 2 });
  await inject({ kind: "error", service: "iot", status: 503, count: 1 });
  await inject({ kind: "throttle", service: "sts", count: 1 });
  await expect(new S3Client(client()).send(new ListBucketsCommand({}))).rejects.toMatchObject({
    name: "SlowDown",
    $metadata: { httpStatusCode: 503 },
  });
  await expect(new DynamoDBClient(client()).send(new ListTablesCommand({}))).rejects.toMatchObject({
    name: "InternalServerError",
    $metadata: { httpStatusCode: 500 },
  });
  await expect(new IoTClient(client()).send(new ListThingsCommand({}))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 503 },
  });
  await expect(new STSClient(client()).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
    name: "Throttling",
  });
  expect(await inForce()).toMatchObject([
    { kind: "throttle", service: "s3", strikes: 1 },
    { kind: "error", service: "dynamodb", strikes: 1 },
  ]);
  // With its own retries each gets through.
  await new S3Client(client(3)).send(new ListBucketsCommand({}));
  await new DynamoDBClient(client(3)).send(new ListTablesCommand({}));
  expect(await inForce()).toEqual([]);
});

test("a reply that is dropped was carried out: who asks again finds it done", async () => {
  await inject({ kind: "drop-reply", service: "iot", operation: "CreateThing", count: 1 });
  await expect(cloud.iot.send(new CreateThingCommand({ thingName: "done" }))).rejects.toMatchObject({
    code: "ECONNRESET",
  });
  expect((await cloud.iot.send(new DescribeThingCommand({ thingName: "done" }))).thingName).toBe("done");
});

test("an acknowledgement of MQTT that is dropped: the message went its way", async () => {
  const core = await cloud.device("pubacks");
  await core.start();
  const { shadow } = topicsOf("pubacks");
  await core.subscribe(`${shadow}/update/accepted`);
  await inject({ kind: "drop-reply", service: "mqtt", operation: "Publish", thing: "pubacks", count: 1 });
  const puback = core.publish(`${shadow}/update`, { state: { reported: { a: 1 } } });
  expect(await core.next(`${shadow}/update/accepted`)).toMatchObject({ version: 1 });
  const waited = await Promise.race([puback, systemClock.sleep(200).then(() => "none")]);
  expect(waited).toBe("none");
  // The next one is acknowledged.
  expect(await core.publish(`${shadow}/update`, { state: { reported: { a: 2 } } })).toBe(0);
  void puback.catch(() => {});
  await core.stop();
});

test("a device whose link is cut has no way at all, until its time is over or the fault is cleared", async () => {
  const core = await cloud.device("cut");
  await core.start();
  const { credentials } = (await core.credentials(ROLE_ALIAS)).body;
  const s3 = new S3Client({
    ...client(),
    credentials: { ...credentials, expiration: new Date(credentials.expiration) },
  });
  const put = () => s3.send(new PutObjectCommand({ Bucket: "artifacts", Key: "by/device", Body: "x" }));
  await put();
  const lost = core.disconnected();
  const id = await inject({ kind: "cut", thing: "cut", seconds: 600 });
  // Without a word: no reason code.
  expect(await lost).toBeUndefined();
  await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect(core.dataPlane("GET", "/greengrass/v2/coreDevices/cut/thingGroups")).rejects.toThrow();
  await expect(core.credentials(ROLE_ALIAS)).rejects.toThrow();
  // Nobody else feels it.
  await new S3Client(client()).send(new ListBucketsCommand({}));
  const back = core.reconnected();
  expect((await cloud.control("clear-faults", { id })).body).toEqual({ cleared: [id] });
  expect(await back).toBe(true);
  await put();
  await core.stop();
});

test("a slow link delays each way, in order, and the device's calls", async () => {
  const core = await cloud.device("slow");
  await core.start();
  const { shadow } = topicsOf("slow");
  await core.subscribe(`${shadow}/update/accepted`);
  await inject({ kind: "slow", thing: "slow", delayMs: 150, seconds: 60 });
  const started = performance.now();
  await Promise.all([1, 2, 3].map((a) => core.publish(`${shadow}/update`, { state: { reported: { a } } })));
  expect(performance.now() - started).toBeGreaterThan(290);
  for (const version of [1, 2, 3])
    expect((await core.next(`${shadow}/update/accepted`)).version).toBe(version);
  const asked = performance.now();
  expect((await core.dataPlane("GET", "/greengrass/v2/coreDevices/slow/thingGroups")).status).toBe(200);
  expect(performance.now() - asked).toBeGreaterThan(145);
  await core.stop();
});

test("when the clock jumps, what came due has happened: credentials expire, and a cut ends", async () => {
  const core = await cloud.device("later");
  const { credentials } = (await core.credentials(ROLE_ALIAS)).body;
  await inject({ kind: "cut", thing: "later", seconds: 3600 });
  const before = systemClock.now();
  const { now } = (await cloud.control("jump-clock", { seconds: 7200 })).body;
  expect(now - before).toBeGreaterThanOrEqual(7_200_000);
  expect(await inForce()).toEqual([]);
  const old = { ...credentials, expiration: new Date(credentials.expiration) };
  const put = new PutObjectCommand({ Bucket: "artifacts", Key: "late", Body: "x" });
  await expect(new S3Client({ ...client(), credentials: old }).send(put)).rejects.toMatchObject({
    name: "ExpiredToken",
  });
  expect((await core.credentials(ROLE_ALIAS)).status).toBe(200);
  core.close();
});

test.each([
  [{ kind: "throttle", service: "s3" }, "say when it ends"],
  [{ kind: "cut", thing: "cut" }, "seconds"],
  [{ kind: "error", service: "nowhere", count: 1 }, "There is no service nowhere here."],
  [{ kind: "error", service: "s3", operation: "Fly", count: 1 }, "s3 has no operation Fly here."],
  [{ kind: "throttle", service: "mqtt", count: 1 }, "only replies can be dropped"],
  [{ kind: "cut", thing: "nobody", seconds: 1 }, "There is no thing nobody."],
  [{ kind: "error", service: "s3", count: 1, probability: 2 }, "probability"],
  [{ kind: "error", service: "s3", count: 1, status: 418 }, "status"],
  [{ kind: "burn", service: "s3", count: 1 }, "kind"],
])("the fault %j is refused with a sentence", async (fault, sentence) => {
  const { status, body } = await cloud.control("inject-fault", fault);
  expect([status, body.message]).toEqual([400, expect.stringContaining(sentence)]);
  expect((await cloud.control("clear-faults", { id: "fault-0" })).status).toBe(404);
  expect((await cloud.control("jump-clock", { seconds: -1 })).status).toBe(400);
});

test("chance strikes as often as it says, out of the random that was handed in", () => {
  const struck = (seed: string): number => {
    const clock = new DrivenClock(0, () => Promise.resolve());
    const faults = new Faults({ clock, random: new SeededRandom(seed) });
    faults.inject(Fault.parse({ kind: "throttle", service: "s3", probability: 0.3, seconds: 10 }));
    let strikes = 0;
    for (let call = 0; call < 1000; call++)
      try {
        faults.before({ service: "s3", operation: "PutObject", thing: undefined });
      } catch {
        strikes++;
      }
    return strikes;
  };
  expect(struck("a")).toBe(struck("a"));
  expect(struck("a")).not.toBe(struck("b"));
  expect(Math.abs(struck("a") - 300)).toBeLessThan(60);
});

test("a jump fires what came due in order, and leaves the rest to its time", async () => {
  const base = new DrivenClock(0, () => new Promise(setImmediate));
  const clock = new JumpingClock(base);
  const fired: string[] = [];
  const at = (name: string, delayMs: number) =>
    clock.timer(delayMs, () => fired.push(`${name} ${clock.now()}`));
  at("late", 5000);
  at("second", 2000);
  const cancelled = at("never", 1500);
  clock.timer(1000, () => {
    fired.push("first");
    cancelled.cancel();
  });
  const slept = clock.sleep(3000).then(() => fired.push("slept"));
  await base.runUntil(500);
  expect(clock.jump(3000)).toBe(3500);
  await slept;
  expect(fired).toEqual(["first", "second 3500", "slept"]);
  await base.runUntil(1999);
  expect(fired).toHaveLength(3);
  await base.runUntil(2000);
  expect(fired.at(-1)).toBe("late 5000");
});
