import { healthKeys } from "@coalmine/contract";
import type { HealthReport } from "@coalmine/runtime";
import type { RejectCause } from "./batches.ts";

type Health = HealthReport<typeof healthKeys.logManager>;

const rejectedCounter = {
  tooOld: "rejectedTooOldLines",
  tooNew: "rejectedTooNewLines",
  expired: "rejectedExpiredLines",
  invalid: "rejectedInvalidLines",
} as const satisfies Record<RejectCause, (typeof healthKeys.logManager.counters)[number]>;

/**
 * What becomes of each line. At any moment: lines read = uploaded + filtered + rejected by cause + lost + pending.
 * Lines whose upload was broken off stay pending, and are not counted again when they are read again.
 */
export class Tally {
  readonly health: Health;
  #pending = 0;
  readonly #returned = new Map<string, number>();

  constructor(health: Health) {
    this.health = health;
  }

  get pending(): number {
    return this.#pending;
  }

  read(component: string, lines: number): void {
    const again = Math.min(lines, this.#returned.get(component) ?? 0);
    if (again > 0) this.#returned.set(component, (this.#returned.get(component) ?? 0) - again);
    this.health.add("lines", lines - again);
    this.#pending += lines - again;
  }

  uploaded(events: number, lines: number): void {
    this.health.add("uploadedEvents", events);
    this.health.add("uploadedLines", lines);
    this.#pending -= lines;
  }

  filtered(lines: number): void {
    this.health.add("filteredLines", lines);
    this.#pending -= lines;
  }

  rejected(cause: RejectCause, lines: number): void {
    this.health.add("rejectedEvents");
    this.health.add(rejectedCounter[cause], lines);
    this.#pending -= lines;
  }

  /** Lines that were never read, and never will be. */
  lostUnread(lines: number): void {
    this.health.add("lines", lines);
    this.health.add("lostLines", lines);
  }

  /** Lines that were read and not settled when reading was broken off: they will be read again. */
  brokenOff(component: string, lines: number): void {
    this.#returned.set(component, (this.#returned.get(component) ?? 0) + lines);
  }
}
