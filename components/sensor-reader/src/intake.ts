import {
  MEASUREMENTS_PER_BATCH_MAX,
  type Acknowledgement,
  type InstrumentId,
  type Measurement,
} from "@coalmine/contract";
import { comparePositions, type Position } from "@coalmine/instrument";
import { DeviceTime } from "./device-time.ts";

/** A batch that takes no more. */
export interface Finished {
  readonly name: string;
  readonly points: readonly Measurement[];
  readonly readings: number;
}

interface Batch {
  readonly name: string;
  readonly upTo: Position;
  readonly readings: number;
  settled: boolean;
}

/** Boots whose clock is remembered. */
const BOOTS_MAX = 4;

/**
 * What one instrument said and stream-uploader has not yet taken; it outlives links. Readings are taken strictly in
 * order, each once, so a batch is a range, and what may be acknowledged to the instrument is a prefix.
 */
export class Intake {
  readonly instrument: InstrumentId;
  readonly #publish: (batch: Finished) => void;
  readonly #times = new Map<number, DeviceTime>();
  #next: Position | undefined;
  #forming: { boot: number; from: number; to: number; readings: number; points: Measurement[] } | undefined;
  #batches: Batch[] = [];
  #unacknowledged = 0;
  #safeUpTo: Position | undefined;
  #lastTime: { readonly boot: number; readonly ms: number; readonly clockSteps: number } | undefined;

  constructor(instrument: InstrumentId, publish: (batch: Finished) => void) {
    this.instrument = instrument;
    this.#publish = publish;
  }

  /** The reading that is wanted next; none before the instrument said what it has. */
  get next(): Position | undefined {
    return this.#next;
  }
  /** Readings taken and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }
  /** Everything up to here is durable or was refused for good: the instrument may forget it. */
  get safeUpTo(): Position | undefined {
    return this.#safeUpTo;
  }
  get isForming(): boolean {
    return this.#forming !== undefined;
  }

  timeOf(boot: number): DeviceTime {
    const known = this.#times.get(boot);
    if (known !== undefined) return known;
    const time = new DeviceTime();
    this.#times.set(boot, time);
    for (const old of this.#times.keys()) {
      if (this.#times.size <= BOOTS_MAX) break;
      this.#times.delete(old);
    }
    return time;
  }

  /**
   * Readings of one boot come in the order they were measured in, and so do their times, as long as nobody sets the clock:
   * a new comparison of clocks may only move a time on, by `movedMs`.
   */
  inOrder(boot: number, ms: number, clockSteps: number): { readonly ms: number; readonly movedMs: number } {
    const last = this.#lastTime;
    const isComparable = last !== undefined && last.boot === boot && last.clockSteps === clockSteps;
    const ordered = isComparable ? Math.max(ms, last.ms) : ms;
    this.#lastTime = { boot, ms: ordered, clockSteps };
    return { ms: ordered, movedMs: ordered - ms };
  }

  /** Goes on at `position`, where nothing before it can be had any more. Never backwards. */
  skipTo(position: Position): void {
    if (this.#next === undefined || comparePositions(position, this.#next) > 0) this.#next = position;
  }

  /** Takes the reading that is next. `closes`: it is the last of its curve. */
  take(at: Position, points: readonly Measurement[], closes: boolean): void {
    const forming = this.#forming;
    if (
      forming !== undefined &&
      (forming.boot !== at.boot ||
        forming.to + 1 !== at.sequence ||
        forming.points.length + points.length > MEASUREMENTS_PER_BATCH_MAX)
    )
      this.publish();
    const batch = (this.#forming ??= {
      boot: at.boot,
      from: at.sequence,
      to: at.sequence,
      readings: 0,
      points: [],
    });
    batch.to = at.sequence;
    batch.readings++;
    batch.points.push(...points);
    this.#unacknowledged++;
    this.#next = { boot: at.boot, sequence: at.sequence + 1 };
    if (closes) this.publish();
  }

  /** Hands over what has gathered. */
  publish(): void {
    const batch = this.#forming;
    if (batch === undefined) return;
    const name = `SensorReader:${this.instrument}:${batch.boot}:${batch.from}-${batch.to}`;
    const { readings, points } = batch;
    this.#forming = undefined;
    this.#batches.push({ name, upTo: { boot: batch.boot, sequence: batch.to }, readings, settled: false });
    this.#publish({ name, points, readings });
  }

  /** Counts a batch that an earlier life of the reader left and that is published again. */
  restore(name: string, upTo: Position, readings: number): void {
    this.#batches.push({ name, upTo, readings, settled: false });
    this.#unacknowledged += readings;
  }

  /** Notes what stream-uploader is done with; how many readings that were. */
  settle(acknowledgement: Acknowledgement): number {
    const named = new Set([...acknowledgement.durable, ...acknowledgement.refused.map(({ batch }) => batch)]);
    let readings = 0;
    for (const batch of this.#batches)
      if (!batch.settled && named.has(batch.name)) {
        batch.settled = true;
        readings += batch.readings;
      }
    this.#unacknowledged -= readings;
    let prefix = 0;
    for (; this.#batches[prefix]?.settled === true; prefix++) this.#safeUpTo = this.#batches[prefix]?.upTo;
    this.#batches.splice(0, prefix);
    return readings;
  }
}
