import type { Measurement } from "@coalmine/contract";
import { curve, type Device, nameOf } from "./device.fixture.ts";

/** Points as in `curve`; each 97th is bad, and so an alarm. */
export function readings(first: number, count: number): Measurement[] {
  return curve(1, first, count).map((point) =>
    point.sequence % 97 === 0 ? { ...point, quality: { level: "bad", cause: "instrument" } } : point,
  );
}

export const rowName = (row: Record<string, unknown>): string =>
  `${String(row["instrument"])}/${String(row["boot"])}/${String(row["sequence"])}/${String(row["channel"])}`;

/** A publisher that keeps each batch until it is acknowledged, and publishes it again, as sensor-reader does. */
export class Publisher {
  readonly #device: Device;
  readonly #kept = new Map<string, Measurement[]>();
  #sequence = 1;
  #batches = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  give(points: number): void {
    const batch = `b-${this.#batches++}`;
    const made = readings(this.#sequence, points);
    this.#kept.set(batch, made);
    this.#sequence += points;
    this.#device.publishBatch(batch, made);
  }

  again(): void {
    for (const [batch, points] of this.#kept)
      if (this.#device.acknowledged.has(batch)) this.#kept.delete(batch);
      else this.#device.publishBatch(batch, points);
  }

  get waiting(): number {
    return this.#kept.size;
  }
  get given(): number {
    return this.#sequence - 1;
  }
  /** The names of all points, sorted. */
  get all(): string[] {
    return curve(1, 1, this.given).map(nameOf).sort();
  }
}

/** What is wrong with the keys: the ranges of each numbering must lie side by side, from 1, with no hole or overlap. */
export function keyFaults(keys: Iterable<string>): string[] {
  const ranges = new Map<string, Map<number, number>>();
  const faults: string[] = [];
  for (const key of keys) {
    const [, prefix = "", epoch = "", first = "", last = ""] =
      /^(.+)\/dt=\d{4}-\d\d-\d\d\/thing=thing-1\/([0-9a-f]{32})-(\d+)-(\d+)-v1\./.exec(key) ?? [];
    if (epoch === "") faults.push(`${key} is no key of ours`);
    const of = ranges.get(`${prefix}/${epoch}`) ?? new Map<number, number>();
    ranges.set(`${prefix}/${epoch}`, of);
    // A range that spans days has an object for each.
    if ((of.get(Number(first)) ?? Number(last)) !== Number(last))
      faults.push(`${key} overlaps another range`);
    of.set(Number(first), Number(last));
  }
  for (const [log, of] of ranges) {
    let next = 1;
    for (const [first, last] of [...of].sort(([a], [b]) => a - b)) {
      if (first !== next)
        faults.push(`${log}: a range begins at ${first}, the one before it ended at ${next - 1}`);
      next = last + 1;
    }
  }
  return faults;
}
