import type { InstrumentId, Measurement } from "@coalmine/contract";
import type { Channel, Judged } from "@coalmine/instrument";
import type { Clock } from "@coalmine/ports";
import type { Counts } from "./counts.ts";
import type { Intake } from "./intake.ts";
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
  readonly wall: WallTime;
  readonly counts: Counts;
  /** Whether points may be dated: the device's clock was set, or waiting for it is over. */
  readonly dates: boolean;
  config(): { readonly unacknowledgedMax: number };
  forming(intake: Intake): void;
}

/** A hundred years: nobody knows when. */
const UNDATED_MS = 3.2e12;

/**
 * An instrument without a memory of its own: the reader counts its readings, under the number of the reader's start. From
 * there on they go the way of all. Outlives links.
 */
export class MadeInstrument {
  readonly #intake: Intake;
  readonly #boot: number;
  readonly #owner: MadeOwner;
  readonly #last = new Map<string, number>();
  #schedule: Schedule | undefined;
  #sequence = 0;
  /** Readings that wait for the device's clock to be set. */
  #undated: (readonly Sampled[])[] = [];

  constructor(intake: Intake, boot: number, owner: MadeOwner) {
    this.#intake = intake;
    this.#boot = boot;
    this.#owner = owner;
    intake.skipTo({ boot, sequence: 0 });
  }

  get id(): InstrumentId {
    return this.#intake.instrument;
  }

  /** The one schedule it is polled by, over all its links; another period begins another. */
  schedule(periodMs: number): Schedule {
    if (this.#schedule?.periodMs !== periodMs)
      this.#schedule = new Schedule(periodMs, this.#owner.clock.monotonicMs());
    return this.#schedule;
  }

  /** Whether one more reading may be taken: nothing keeps it but the reader, whose memory is bounded. */
  get hasRoom(): boolean {
    return this.#intake.unacknowledged + this.#undated.length < this.#owner.config().unacknowledgedMax;
  }

  /** The last number of a channel, 0 before there was one. */
  last(channel: string): number {
    return this.#last.get(channel) ?? 0;
  }

  /** Takes a reading; ask `hasRoom` first. */
  take(reading: readonly Sampled[]): void {
    for (const { channel, judged } of reading) this.#last.set(channel.channel, judged.value);
    if (!this.#owner.dates) {
      this.#undated.push(reading);
      return;
    }
    this.dateAll();
    this.#publish(reading);
  }

  /** The device's clock was set: what was read before gets the times it should have had. */
  dateAll(): void {
    for (const reading of this.#undated.splice(0)) this.#publish(reading);
  }

  #publish(reading: readonly Sampled[]): void {
    const { wall, counts } = this.#owner;
    const at = { boot: this.#boot, sequence: this.#sequence++ };
    const points = reading.map(({ channel, judged, atMs, uncertaintyMs }): Measurement => ({
      instrument: this.id,
      ...at,
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
    counts.add("readings");
    this.#intake.take(at, points, false);
    this.#owner.forming(this.#intake);
  }
}
