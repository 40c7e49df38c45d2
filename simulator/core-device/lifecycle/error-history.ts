import type { State } from "./states.ts";

/** So many errors in a row from one state, each within the reset time of the one before, break a component. */
export const ERRORS_TO_BROKEN = 3;

const counted: ReadonlySet<State> = new Set<State>(["NEW", "STARTING", "RUNNING"]);

export class ErrorHistory {
  readonly #times = new Map<State, number[]>();

  /** True when this error, at that time of the monotonic clock, is the one too many. */
  isBrokenBy(from: State, atMs: number, resetMs: number): boolean {
    if (!counted.has(from)) return false;
    const before = this.#times.get(from) ?? [];
    const last = before.at(-1);
    const times = last !== undefined && atMs - last >= resetMs ? [atMs] : [...before, atMs];
    this.#times.set(from, times);
    return times.length >= ERRORS_TO_BROKEN;
  }

  /** The component left `from` for something better than an error. */
  left(from: State): void {
    this.#times.delete(from);
  }

  clear(): void {
    this.#times.clear();
  }
}
