import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { curve, Device, nameOf } from "./device.fixture.ts";

const rowName = (row: Record<string, unknown>): string =>
  `${String(row["instrument"])}/${String(row["boot"])}/${String(row["sequence"])}/${String(row["channel"])}`;

/** A publisher that keeps each batch until it is acknowledged, and publishes it again, as sensor-reader does. */
class Publisher {
  readonly #device: Device;
  readonly #kept = new Map<string, ReturnType<typeof curve>>();
  #sequence = 1;
  published = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  give(points: number): void {
    const batch = `b-${this.published++}`;
    this.#kept.set(batch, curve(1, this.#sequence, points));
    this.#sequence += points;
    this.#device.publishBatch(batch, this.#kept.get(batch) ?? []);
  }

  again(): void {
    for (const [batch, points] of this.#kept)
      if (this.#device.acknowledged.has(batch)) this.#kept.delete(batch);
      else this.#device.publishBatch(batch, points);
  }

  get waiting(): number {
    return this.#kept.size;
  }
  get all(): string[] {
    return curve(1, 1, this.#sequence - 1).map(nameOf);
  }
}

test.each(Array.from({ length: 25 }, (_, index) => `seed ${index}`))(
  "kills, lost power, lying and failing S3: every point is in the bucket exactly once (%s)",
  async (seed) => {
    const random = new SeededRandom(seed);
    const device = new Device(seed);
    device.configuration = { flushIntervalSeconds: 30, batchPointsMax: 500 };
    const publisher = new Publisher(device);
    const written = new Map<string, number>();
    const answers = [
      { code: "InternalError", statusCode: 500, isStored: true },
      { code: "InternalError", statusCode: 500, isStored: false },
      { code: "SlowDown", statusCode: 503, isStored: false },
      { code: "ConditionalRequestConflict", statusCode: 409, isStored: false },
      { code: "AccessDenied", statusCode: 403, isStored: false },
      { code: "NetworkError", isStored: true },
      { code: "NetworkError", isStored: false },
    ];
    device.bucket.trouble = (key) => {
      written.set(key, (written.get(key) ?? 0) + 1);
      return random.next() < 0.6 ? answers[random.below(answers.length)] : undefined;
    };
    await device.start();
    for (let round = 0; round < 60; round++) {
      publisher.give(1 + random.below(120));
      if (random.next() < 0.4) publisher.again();
      // Killed anywhere: also inside a commit, a checkpoint, an upload.
      if (random.next() < 0.3) {
        for (let turn = random.below(60); turn > 0; turn--) await Promise.resolve();
        device.kill({ power: random.next() < 0.5 });
        await device.start();
      }
      await device.run(random.below(40_000));
    }
    device.bucket.trouble = () => undefined;
    for (let patience = 0; patience < 20 && publisher.waiting > 0; patience++) {
      publisher.again();
      await device.run(60_000);
    }
    await device.run(700_000);
    expect(publisher.waiting).toBe(0);
    expect(device.failed).toBeUndefined();
    const rows = (await device.bucket.rows()).map(rowName);
    expect(rows.toSorted()).toEqual(publisher.all.toSorted());
    expect([...written.values()].some((attempts) => attempts > 1)).toBe(true);
    const own = device.heartbeats.at(-1)?.components[0];
    const { received, durable, duplicates, refused } = own?.counters ?? {};
    expect(received).toBe((durable ?? 0) + (duplicates ?? 0) + (refused ?? 0));
    expect(own?.gauges).toMatchObject({ backlogPoints: 0, backlogBytes: 0, oldestAgeMs: 0 });
  },
  30_000,
);
