import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { World } from "./world.ts";

/** What becomes of events that CloudWatch Logs does not keep, on disk and in S3. */
const MORNING = Date.UTC(2026, 10, 23, 9);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const toS3 = { deadLetters: { bucket: "letters" } };

async function world(configuration: object, seed = "letters") {
  const given = loneComponent(seed, MORNING);
  const it = new World(given, { healthIntervalSeconds: 1, ...configuration });
  await it.start();
  let written = 0;
  /** Lines that are too old for the service. */
  const reject = (count: number): void => {
    for (let n = 0; n < count; n++)
      it.write("app.log", `${written++} ${"x".repeat(200)}`, { timestamp: MORNING - 15 * DAY });
  };
  const { bucket } = given;
  /** The letters in S3, by the number that each begins with. */
  const sent = async (): Promise<number[]> =>
    [...(await bucket.contents()).values()]
      .flatMap((bytes) => new TextDecoder().decode(gunzipSync(bytes)).trimEnd().split("\n"))
      .map((line) => Number.parseInt(JSON.parse(JSON.parse(line).message).message, 10));
  const onDisk = (): string[] =>
    [...it.work.contents().keys()].filter((name) => name.startsWith("rejected")).toSorted();
  const bytesOnDisk = (): number =>
    [...it.work.contents()]
      .filter(([name]) => name.startsWith("rejected"))
      .reduce((sum, [, bytes]) => sum + bytes.length, 0);
  return { it, bucket, reject, sent, onDisk, bytesOnDisk };
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const inOrder = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

test("a full file goes to S3 at once, the rest an hour after its first letter, each letter once; then the disk is free", async () => {
  const { it, bucket, reject, sent, onDisk } = await world({ ...toS3, deadLetterLimitKB: 20 });
  await bucket.create();
  reject(40);
  await it.run(MINUTE);
  const early = await sent();
  expect(early.length).toBeGreaterThan(20);
  expect(early.length).toBeLessThan(40);
  await it.run(58 * MINUTE);
  expect(await sent()).toEqual(early);
  await it.run(3 * MINUTE);
  expect(inOrder(await sent())).toEqual(upTo(40));
  expect(onDisk()).toEqual([]);
  expect(it.counters()).toMatchObject({ deadLettersUploaded: 40, deadLettersDropped: 0 });
  expect(it.health.at(-1)?.gauges["deadLetterBytes"]).toBe(0);
  for (const key of (await bucket.contents()).keys())
    expect(key).toMatch(
      /^dead-letters\/dt=2026-11-23\/thing=site:7\/[0-9a-f]{16}-\d+-[0-9a-f]{16}\.jsonl\.gz$/,
    );
  await it.stop();
});

test("an answer that was lost, a death between S3 and the disk: the same key again, and 412 is done", async () => {
  const { it, bucket, reject, sent, onDisk } = await world({ ...toS3, deadLetterLimitKB: 20 });
  await bucket.create();
  bucket.isOnline = false;
  reject(40);
  // Until it is synced how far the log was read.
  await it.run(5000);
  let lost = 0;
  bucket.losesReply = () => ++lost <= 2;
  bucket.isOnline = true;
  for (let waited = 0; waited < 1000 && (await bucket.contents()).size === 0; waited++) await it.run(10);
  it.kill(true);
  expect(onDisk()).toContain("rejected.1.jsonl");
  await it.start();
  await it.run(70 * MINUTE);
  expect(inOrder(await sent())).toEqual(upTo(40));
  expect(bucket.askedKeys.length).toBeGreaterThan(new Set(bucket.askedKeys).size);
  expect(onDisk()).toEqual([]);
  await it.stop();
});

test.each([
  ["no bucket", () => undefined, "NoSuchBucket", "create the bucket"],
  ["no right", () => ({ code: "AccessDenied", statusCode: 403 }), "AccessDenied", "allow s3:PutObject"],
])(
  "%s: it is said once with what to do, and the letters stay within their disk until it is done",
  async (_, refuses, code, remedy) => {
    const { it, bucket, reject, sent, bytesOnDisk } = await world({ ...toS3, deadLetterLimitKB: 20 });
    if (code === "AccessDenied") await bucket.create();
    bucket.refuses = refuses;
    for (let n = 0; n < 20; n++) {
      reject(20);
      await it.run(10 * MINUTE);
      expect(bytesOnDisk()).toBeLessThanOrEqual(20 * 1024);
    }
    expect(it.errors).toMatchObject([{ code, remedy: expect.stringContaining(remedy), bucket: "letters" }]);
    expect(it.texts()).toEqual([]);
    await bucket.create();
    bucket.refuses = () => undefined;
    await it.run(70 * MINUTE);
    const arrived = inOrder(await sent());
    // The newest are there, each once, and the others were counted.
    expect(arrived).toEqual(upTo(400).slice(-arrived.length));
    expect(arrived.length).toBeGreaterThan(30);
    expect(it.counters()).toMatchObject({
      deadLettersUploaded: arrived.length,
      deadLettersDropped: 400 - arrived.length,
    });
    expect(it.counters()["deadLetterUploadFailures"]).toBeGreaterThan(10);
    await it.stop();
  },
);

test("without a way to S3 letters wait, and what was on disk before S3 was configured goes too", async () => {
  const { it, bucket, reject, sent, onDisk } = await world({ deadLetterLimitKB: 20 });
  await bucket.create();
  reject(40);
  await it.run(120 * MINUTE);
  expect(bucket.askedKeys).toEqual([]);
  expect(onDisk()).toContain("rejected.1.jsonl");
  bucket.isOnline = false;
  await it.ipc.updateConfiguration([], toS3);
  await it.run(120 * MINUTE);
  reject(1);
  await it.run(10 * MINUTE);
  bucket.isOnline = true;
  await it.run(70 * MINUTE);
  expect(inOrder(await sent())).toEqual(upTo(41));
  expect(it.errors).toEqual([]);
  await it.stop();
});

test("random deaths, power cuts and troubles of S3 lose no letter that is within the limit", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { it, bucket, reject, sent, onDisk } = await world(
      { ...toS3, deadLetterLimitKB: 256, healthIntervalSeconds: 600 },
      `letters/${seed}`,
    );
    const random = it.given.random.fork("troubles");
    await bucket.create();
    bucket.losesReply = () => random.next() < 0.3;
    bucket.refuses = () => (random.next() < 0.3 ? { code: "SlowDown", statusCode: 503 } : undefined);
    let rejected = 0;
    for (let step = 0; step < 20; step++) {
      const count = random.below(40);
      reject(count);
      rejected += count;
      await it.run(random.below(3) === 0 ? 90 * MINUTE : random.below(5000));
      const what = random.below(6);
      if (what === 0) await it.stop();
      if (what <= 2) it.kill(what === 1);
      if (!it.isUp) await it.start();
    }
    bucket.losesReply = () => false;
    bucket.refuses = () => undefined;
    await it.run(180 * MINUTE);
    // An event may be rejected twice where the power went before that was written down: as one letter more.
    expect([...new Set(inOrder(await sent()))], `seed ${seed}`).toEqual(upTo(rejected));
    expect(onDisk(), `seed ${seed}`).toEqual([]);
    await it.stop();
  }
});

test("a line that the power tore takes no other with it", async () => {
  const { it, bucket, reject } = await world({ ...toS3, deadLetterLimitKB: 1024 });
  await bucket.create();
  reject(3);
  await it.run(10_000);
  it.kill(true);
  const file = await it.work.open("rejected.jsonl", "write");
  await file.truncate((await file.size()) - 20);
  await file.sync();
  await file.close();
  await it.start();
  reject(2);
  await it.run(70 * MINUTE);
  const lines = [...(await bucket.contents()).values()].flatMap((bytes) =>
    new TextDecoder().decode(gunzipSync(bytes)).trimEnd().split("\n"),
  );
  expect(lines.filter((line) => line.endsWith("}"))).toHaveLength(4);
  expect(lines).toHaveLength(5);
  await it.stop();
});
