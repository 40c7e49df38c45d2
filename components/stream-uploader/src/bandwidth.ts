import type { Clock } from "@coalmine/ports";
import type { Bandwidth as Settings } from "./config.ts";

export type Urgency = "alarms" | "readings";

/** What was not used is kept for so long, and may be sent at once. */
const BURST_SECONDS = 1;
/** A wait is looked at again this often, because the schedule may have changed the cap. */
const LOOK_AGAIN_MS = 30_000;
const DAY_MINUTES = 1440;

/**
 * A token bucket that goes into debt: a request is sent when nothing is owed, and its bytes are owed then, so that the
 * mean holds for requests of any size. Alarms have a bucket of their own; what it does not hold runs over to the rest.
 */
export class Bandwidth {
  readonly #clock: Pick<Clock, "now" | "monotonicMs">;
  readonly #settings: () => Settings;
  #alarms = 0;
  #readings = 0;
  #filledMs: number;

  constructor(clock: Pick<Clock, "now" | "monotonicMs">, settings: () => Settings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#filledMs = clock.monotonicMs();
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
    const share = this.#settings().alarmShare;
    if (rate === undefined || (rate === 0 && urgency === "alarms")) return 0;
    if (rate === 0) return LOOK_AGAIN_MS;
    const owed = -(urgency === "alarms" ? this.#alarms : this.#readings);
    if (owed <= 0) return 0;
    // What alarms leave runs over to the rest: to wait as if it did not would let it go to waste.
    const fastest = urgency === "alarms" ? rate * share : rate;
    return Math.min(LOOK_AGAIN_MS, Math.max(1, (owed / fastest) * 1000));
  }

  /** So many bytes are being sent. */
  spend(urgency: Urgency, bytes: number): void {
    if (this.#fill() === undefined) return;
    if (urgency === "alarms") this.#alarms -= bytes;
    else this.#readings -= bytes;
  }

  #fill(): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const seconds = (nowMs - this.#filledMs) / 1000;
    this.#filledMs = nowMs;
    const rate = this.bytesPerSecond;
    if (rate === undefined) {
      this.#alarms = 0;
      this.#readings = 0;
      return undefined;
    }
    const share = this.#settings().alarmShare;
    const alarms = this.#alarms + seconds * rate * share;
    const alarmsMax = BURST_SECONDS * rate * share;
    this.#alarms = Math.min(alarms, alarmsMax);
    const over = Math.max(0, alarms - alarmsMax);
    this.#readings = Math.min(
      this.#readings + seconds * rate * (1 - share) + over,
      BURST_SECONDS * rate * (1 - share),
    );
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
