import { atRank } from "./at-rank.ts";

/**
 * Spends a chance of error over looks. At each look the draws that stand out most are retired, so many as the part of
 * alpha spent by then allows; by a rule that treats all draws alike, hence at most alpha of them ever are, the real one
 * included, however often one looks.
 */
export class Retiring {
  readonly #live: Uint8Array;
  #retired = 0;
  #realBoundary: number | undefined;

  constructor(drawCount: number) {
    this.#live = new Uint8Array(drawCount).fill(1);
  }

  /** The largest value that lived on at the look that retired the real draw, which is past it; undefined while it lives. */
  get realBoundary(): number | undefined {
    return this.#realBoundary;
  }

  /** Whether a look that has spent so much may retire any draw. */
  canRetire(spent: number): boolean {
    return this.#quota(spent) > 0;
  }

  /** Retires by `statistic` up to `spent` (a share) of all draws. */
  look(statistic: Float64Array, spent: number): void {
    const live = this.#live;
    const quota = this.#quota(spent);
    if (quota <= 0) return;
    const values = new Float64Array(live.length - this.#retired);
    let next = 0;
    for (let index = 0; index < live.length; index++)
      if (live[index] === 1) values[next++] = statistic[index] ?? 0;
    if (quota >= values.length) return;
    // Where the boundary is tied, none of the tied go: what is not spent carries over.
    const boundary = atRank(values, values.length - quota - 1);
    const realLived = live[0] === 1;
    for (let index = 0; index < live.length; index++) {
      const value = statistic[index] ?? 0;
      if (live[index] === 0 || !(value > boundary)) continue;
      live[index] = 0;
      this.#retired++;
    }
    if (realLived && live[0] === 0) this.#realBoundary = boundary;
  }

  #quota(spent: number): number {
    // 0.01 × 2000 is 20, not the 19 that a rounding error below would make of it.
    return Math.floor(spent * this.#live.length + 1e-9) - this.#retired;
  }
}
