import type { Clock } from "@coalmine/ports";
import { TokenBucket } from "@coalmine/runtime";
import type { Bandwidth as Settings } from "./config.ts";

export type Urgency = "alarms" | "readings";

/** What was not used is kept for so long, and may be sent at once. */
const BURST_SECONDS = 1;
/** A wait is looked at again this often, because the schedule may have changed the cap. */
const LOOK_AGAIN_MS = 30_000;
const DAY_MINUTES = 1440;

/**
 * A bucket of bytes for readings and one for alarms, each with its share of the cap. What the alarms' does not hold runs
 * over to the readings'.
 */
export class Bandwidth {
  readonly #clock: Pick<Clock, "now" | "monotonicMs">;
  readonly #settings: () => Settings;
  readonly #alarms: TokenBucket;
  readonly #readings: TokenBucket;

  constructor(clock: Pick<Clock, "now" | "monotonicMs">, settings: () => Settings) {
    this.#clock = clock;
    this.#settings = settings;
    const limits = (share: number) => {
      const perSecond = (this.bytesPerSecond ?? 0) * share;
      return { perSecond, burst: BURST_SECONDS * perSecond };
    };
    this.#alarms = new TokenBucket(clock, () => limits(settings().alarmShare));
    this.#readings = new TokenBucket(clock, () => limits(1 - settings().alarmShare));
  }

  /** The cap at this time of day; undefined for none. */
  get bytesPerSecond(): number | undefined {
    const { schedule, bytesPerSecond } = this.#settings();
    const minute = Math.floor(this.#clock.now() / 60_000) % DAY_MINUTES;
    const scheduled = schedule.find(({ fromUtc, toUtc }) =>
      isBetween(minute, minuteOf(fromUtc), minuteOf(toUtc)),
    );
    return scheduled?.bytesPerSecond ?? bytesPerSecond;
  }

  /** Milliseconds until something may be sent; 0 for now. To be asked again then. */
  waitMs(urgency: Urgency): number {
    const rate = this.#fill();
    if (rate === undefined || (rate === 0 && urgency === "alarms")) return 0;
    if (rate === 0) return LOOK_AGAIN_MS;
    const { owed } = this.#of(urgency);
    if (owed === 0) return 0;
    // What alarms leave runs over to the rest: to wait as if it did not would let it go to waste.
    const fastest = urgency === "alarms" ? rate * this.#settings().alarmShare : rate;
    return Math.min(LOOK_AGAIN_MS, Math.max(1, (owed / fastest) * 1000));
  }

  /** So many bytes are being sent. */
  spend(urgency: Urgency, bytes: number): void {
    if (this.#fill() !== undefined) this.#of(urgency).spend(bytes);
  }

  #of(urgency: Urgency): TokenBucket {
    return urgency === "alarms" ? this.#alarms : this.#readings;
  }

  #fill(): number | undefined {
    const rate = this.bytesPerSecond;
    if (rate !== undefined) this.#readings.fill(this.#alarms.fill());
    else for (const bucket of [this.#alarms, this.#readings]) bucket.empty();
    return rate;
  }
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

/** From `from` inclusive to `to` exclusive, over midnight where `to` comes first; the whole day where they are equal. */
function isBetween(minute: number, from: number, to: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
