import { MEASUREMENTS_PER_BATCH_MAX, type InstrumentId, type Measurement } from "@coalmine/contract";
import type { Channel, Judged } from "@coalmine/instrument";
import type { Clock, Log } from "@coalmine/ports";
import type { Counts } from "./counts.ts";
import { Intake, type Finished } from "./intake.ts";
import { Schedule } from "./schedule.ts";
import { READ_MS, type WallTime } from "./wall-time.ts";

/** A channel's number and when it was sampled, on the monotonic clock. */
export interface Sampled {
  readonly channel: Channel;
  readonly judged: Judged;
  readonly atMs: number;
  readonly uncertaintyMs: number;
}

export interface MadeOwner {
  readonly clock: Clock;
  readonly log: Log;
  readonly wall: WallTime;
  readonly counts: Counts;
  /** Whether points may be dated: the device's clock was set, or waiting for it is over. */
  readonly dates: boolean;
  config(): { readonly unacknowledgedMax: number };
}

/** Where a made instrument's readings go. */
export interface MadeKeeping {
  hasRoomFor(points: number): boolean;
  /** A reading of so many points was taken into a batch that is still forming. */
  coming(points: number): void;
  /** Makes a batch durable and then publishes it; with `held`, it is only made durable. */
  keep(batch: Finished, held: boolean): void;
}

/** Of the readings that may wait, when there is room again. */
const ROOM_AGAIN_SHARE = 0.9;
/** A hundred years: nobody knows when. */
const UNDATED_MS = 3.2e12;

/**
 * An instrument without a memory of its own: the reader counts its readings, under the number of the reader's start, and
 * keeps them on its disk. Outlives links.
 */
export class MadeInstrument {
  readonly intake: Intake;
  readonly #boot: number;
  readonly #owner: MadeOwner;
  readonly #keeping: MadeKeeping;
  readonly #last = new Map<string, number>();
  #schedule: Schedule | undefined;
  #sequence = 0;
  /** Readings that wait for the device's clock to be set, and batches of them, which are on disk as they are. */
  readonly #undated = new Map<number, readonly Sampled[]>();
  #held: Finished[] = [];
  #isFull = false;

  constructor(id: InstrumentId, boot: number, owner: MadeOwner, keeping: MadeKeeping) {
    this.#boot = boot;
    this.#owner = owner;
    this.#keeping = keeping;
    this.intake = new Intake(id, (batch) => {
      const held = this.#undated.size > 0;
      if (held) this.#held.push(batch);
      keeping.keep(batch, held);
    });
    this.intake.skipTo({ boot, sequence: 0 });
  }

  get id(): InstrumentId {
    return this.intake.instrument;
  }

  /** The one schedule it is polled by, over all its links; another period begins another. */
  schedule(periodMs: number): Schedule {
    if (this.#schedule?.periodMs !== periodMs)
      this.#schedule = new Schedule(periodMs, this.#owner.clock.monotonicMs());
    return this.#schedule;
  }

  /**
   * Whether a reading of so many points may be taken: nothing else keeps it, and memory and disk are bounded. Says so once
   * each time that there is no room.
   */
  admits(points: number): boolean {
    const { unacknowledgedMax } = this.#owner.config();
    const { unacknowledged } = this.intake;
    // Once full, only when there is room for more than the next reading: else it would come and go with each.
    const [most, wanted] = this.#isFull ? [ROOM_AGAIN_SHARE, MEASUREMENTS_PER_BATCH_MAX] : [1, points];
    const isFull = unacknowledged >= unacknowledgedMax * most || !this.#keeping.hasRoomFor(wanted);
    if (isFull && !this.#isFull)
      this.#owner.log.error(
        "no more readings are taken until stream-uploader acknowledges some: polls are missed ticks, lines are dropped",
        { instrument: this.id, unacknowledged },
      );
    this.#isFull = isFull;
    return !isFull;
  }

  /** The last number of a channel, 0 before there was one. */
  last(channel: string): number {
    return this.#last.get(channel) ?? 0;
  }

  /** Takes a reading; ask `admits` first. */
  take(reading: readonly Sampled[]): void {
    for (const { channel, judged } of reading) this.#last.set(channel.channel, judged.value);
    if (this.#owner.dates) this.dateAll();
    else this.#undated.set(this.#sequence, reading);
    const at = { boot: this.#boot, sequence: this.#sequence++ };
    this.#owner.counts.add("readings");
    this.#keeping.coming(reading.length);
    this.intake.take(at, this.#points(at.sequence, reading), false);
  }

  /** The device's clock was set: what was read before gets the times it should have had. */
  dateAll(): void {
    if (this.#undated.size === 0) return;
    this.intake.publish();
    const undated = new Map(this.#undated);
    this.#undated.clear();
    for (const batch of this.#held.splice(0)) {
      const sequences = [...new Set(batch.points.map(({ sequence }) => sequence))];
      const points = sequences.flatMap((sequence) => this.#points(sequence, undated.get(sequence) ?? []));
      this.#keeping.coming(points.length);
      this.#keeping.keep({ ...batch, points }, false);
    }
  }

  #points(sequence: number, reading: readonly Sampled[]): Measurement[] {
    const { wall } = this.#owner;
    return reading.map(({ channel, judged, atMs, uncertaintyMs }) => ({
      instrument: this.id,
      boot: this.#boot,
      sequence,
      channel: channel.channel,
      sampleTimeMs: wall.at(atMs),
      sampleTimeUncertaintyMs: wall.isSet ? uncertaintyMs + READ_MS : UNDATED_MS,
      value: judged.value,
      unit: channel.unit,
      quality:
        wall.isSet || judged.quality.level !== "good"
          ? judged.quality
          : { level: "uncertain", cause: "stale" },
      calibrationId: judged.calibrationId,
    }));
  }
}
