import type { Age } from "@coalmine/contract/operator-api";

/**
 * What time it is in each fleet, by what the server last said. Between two words of it a fleet's clock is taken to go at
 * the wall's pace: an age that is too high for a moment is better than one that stands still on a page that is cut off.
 */
export class FleetClocks {
  readonly #heard = new Map<string, { readonly nowMs: number; readonly heardMs: number }>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  tell(fleet: string, nowMs: number): void {
    this.#heard.set(fleet, { nowMs, heardMs: this.#monotonicMs() });
  }

  /** Undefined for a fleet of which nothing was heard. */
  now(fleet: string): number | undefined {
    const heard = this.#heard.get(fleet);
    return heard === undefined ? undefined : heard.nowMs + this.#monotonicMs() - heard.heardMs;
  }

  /** Never lower than what the server said. */
  ageMs(fleet: string, { atMs, ageMs }: Pick<Age, "atMs" | "ageMs">): number {
    return Math.max(ageMs, (this.now(fleet) ?? -Infinity) - atMs);
  }
}
