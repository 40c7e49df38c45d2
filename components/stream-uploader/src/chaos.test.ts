import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Device } from "./device.fixture.ts";
import { keyFaults, Publisher, rowName } from "./publisher.fixture.ts";

const isLong = process.env["COALMINE_LONG"] === "1";

/** What an object may hold: in short runs a few hundred points, so that there are many; long runs have a million. */
const scale = isLong
  ? { seeds: 2, rounds: 400, batchesMax: 19, pointsMax: 500, batchPointsMax: 5000 }
  : { seeds: 8, rounds: 60, batchesMax: 1, pointsMax: 120, batchPointsMax: 500 };

const answers = [
  { code: "InternalError", statusCode: 500, isStored: true },
  { code: "InternalError", statusCode: 500, isStored: false },
  { code: "SlowDown", statusCode: 503, isStored: false },
  { code: "ConditionalRequestConflict", statusCode: 409, isStored: false },
  { code: "AccessDenied", statusCode: 403, isStored: false },
  // The answer was lost after the object was stored; the connection was reset in the middle of the body.
  { code: "NetworkError", isStored: true },
  { code: "NetworkError", isStored: false },
];
const HOUR_MS = 3_600_000;
/** The wall clock is set by minutes or hours, or was never set and says 1970. */
const clockFaults = [0, 0, 60_000, -60_000, HOUR_MS, -HOUR_MS, 30 * 24 * HOUR_MS, -1_772_366_400_000];

test.each(Array.from({ length: scale.seeds }, (_, index) => `seed ${index}`))(
  "kills, lost power, clock jumps, lying and failing S3: every point is in the bucket exactly once (%s)",
  async (seed) => {
    const random = new SeededRandom(seed);
    const device = new Device(seed);
    const isNewestFirst = random.next() < 0.5;
    const hasLines = random.next() < 0.5;
    device.configuration = {
      flushIntervalSeconds: 30,
      batchPointsMax: scale.batchPointsMax,
      sinks: {
        lake: { kind: "s3-parquet", catchUp: isNewestFirst ? "newest-first" : "oldest-first" },
        ...(hasLines ? { lines: { kind: "s3-json-lines", keyPrefix: "lines", windowSeconds: 60 } } : {}),
      },
    };
    const publisher = new Publisher(device);
    device.bucket.trouble = () => (random.next() < 0.6 ? answers[random.below(answers.length)] : undefined);
    await device.start();
    for (let round = 0; round < scale.rounds; round++) {
      for (let batches = 1 + random.below(scale.batchesMax); batches > 0; batches--)
        publisher.give(1 + random.below(scale.pointsMax));
      if (random.next() < 0.4) publisher.again();
      if (random.next() < 0.2) device.wallOffsetMs = clockFaults[random.below(clockFaults.length)] ?? 0;
      // Killed anywhere: also inside a commit, a checkpoint, an upload.
      if (random.next() < 0.3) {
        for (let turn = random.below(60); turn > 0; turn--) await Promise.resolve();
        device.kill({ power: random.next() < 0.5 });
        await device.start();
      }
      await device.run(random.below(40_000));
    }
    device.bucket.trouble = () => undefined;
    device.wallOffsetMs = 0;
    for (let patience = 0; patience < 20 && publisher.waiting > 0; patience++) {
      publisher.again();
      await device.run(60_000);
    }
    await device.run(700_000);
    expect(publisher.waiting).toBe(0);
    expect(device.failed).toBeUndefined();

    const { bucket } = device;
    const { all } = publisher;
    expect((await bucket.rows()).map(rowName).sort()).toEqual(all);
    if (hasLines) expect(bucket.lines().map(rowName).sort()).toEqual(all);
    expect(keyFaults(bucket.stored.keys())).toEqual([]);
    expect([...bucket.writes].filter(([, writes]) => writes !== 1)).toEqual([]);
    // Whatever happened between two attempts, a key has one content.
    expect([...bucket.bodies].filter(([, digests]) => digests.size !== 1)).toEqual([]);
    expect(bucket.attempts.length).toBeGreaterThan(bucket.stored.size);

    const own = device.heartbeats.at(-1)?.components[0];
    const { received = 0, durable = 0, duplicates = 0, refused = 0, ...counters } = own?.counters ?? {};
    expect(received).toBe(durable + duplicates + refused);
    for (const sink of hasLines ? ["lake", "lines"] : ["lake"])
      expect(counters[`${sink}.planned`]).toBe(counters[`${sink}.sent`]);
    expect(own?.gauges).toMatchObject({ backlogPoints: 0, backlogBytes: 0, oldestAgeMs: 0 });
    if (isLong)
      console.log(
        `${seed}: ${publisher.given} points, ${bucket.stored.size} objects, ${bucket.attempts.length} attempts`,
      );
  },
  isLong ? 1_800_000 : 60_000,
);
