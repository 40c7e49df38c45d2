import { DAY_MS, dayOf, type Outgoing } from "./batches.ts";
import { ClockStepped } from "./clock/clock-watch.ts";
import { type Answered, putEvents, type PutPorts, type Target } from "./put-batch.ts";

/**
 * Puts the events of a batch to their day's stream, and holds them meanwhile: whenever the clock turns out to have been
 * wrong, those that are not there yet go with their right time, perhaps to the streams of two days.
 */
export class TimedPut {
  readonly #ports: PutPorts;
  readonly #target: (date: string) => Target;
  #waiting: readonly Outgoing[] = [];
  #underWay: readonly Outgoing[] = [];
  #day = 0;
  /** Where the events of a day go: the next batch is mostly of the same one. */
  #targetOfDay: { readonly day: number; readonly target: Target } | undefined;
  #stepped = new AbortController();

  constructor(ports: PutPorts, target: (date: string) => Target) {
    this.#ports = ports;
    this.#target = target;
  }

  /** Holds these events, in place of those before. */
  hold(events: readonly Outgoing[]): void {
    this.#waiting = events;
    this.#underWay = [];
  }

  /** Puts what it holds. Throws only `stop.reason`. */
  async put(stop: AbortSignal): Promise<Answered> {
    this.#waiting = inOrderOfTime(this.#waiting);
    const answers: Answered[] = [];
    while (this.#nextDay()) {
      stop.throwIfAborted();
      try {
        answers.push(await this.#one(stop));
      } catch (failure) {
        if (!(failure instanceof ClockStepped)) throw failure;
        this.#waiting = inOrderOfTime([...this.#underWay, ...this.#waiting]);
      }
    }
    return {
      accepted: answers.flatMap(({ accepted }) => accepted),
      rejected: answers.flatMap(({ rejected }) => rejected),
    };
  }

  /** The clock was set: a request that is on its way may still arrive, what did not goes anew. */
  retime(corrected: (event: Outgoing) => Outgoing): void {
    this.#underWay = this.#underWay.map(corrected);
    this.#waiting = this.#waiting.map(corrected);
    this.#stepped.abort(new ClockStepped("the clock was set"));
  }

  /** Takes the events of the first day of those that wait. */
  #nextDay(): boolean {
    const [first] = this.#waiting;
    if (first === undefined) return false;
    this.#day = dayOf(first);
    const later = this.#waiting.findIndex((event) => dayOf(event) !== this.#day);
    const end = later < 0 ? this.#waiting.length : later;
    this.#underWay = this.#waiting.slice(0, end);
    this.#waiting = this.#waiting.slice(end);
    return true;
  }

  async #one(stop: AbortSignal): Promise<Answered> {
    const stepped = new AbortController();
    const stopped = (): void => stepped.abort(stop.reason);
    this.#stepped = stepped;
    stop.addEventListener("abort", stopped, { once: true });
    try {
      if (this.#targetOfDay?.day !== this.#day)
        this.#targetOfDay = { day: this.#day, target: this.#target(dateOf(this.#day)) };
      return await putEvents(this.#ports, this.#targetOfDay.target, this.#underWay, stepped.signal);
    } finally {
      stop.removeEventListener("abort", stopped);
    }
  }
}

/** The sort is stable: equal times stay as they were, in order of file and offset. */
function inOrderOfTime(events: readonly Outgoing[]): readonly Outgoing[] {
  return events.toSorted((a, b) => a.timestampMs - b.timestampMs);
}

/** `yyyy/MM/dd` in UTC. */
function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "/");
}
