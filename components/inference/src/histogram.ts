import type { Histogram } from "./manifest.ts";

/** What was seen lately of one quantity, in the bins of its training histogram. */
export class Binned {
  readonly reference: Histogram;
  readonly #counts: number[];
  count = 0;

  constructor(reference: Histogram) {
    this.reference = reference;
    this.#counts = reference.shares.map(() => 0);
  }

  add(value: number): void {
    const { edges } = this.reference;
    let bin = 0;
    while (bin < edges.length && value >= (edges[bin] ?? Number.POSITIVE_INFINITY)) bin++;
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.count++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
  }

  /**
   * Population stability index, Σ (p − q) ln(p/q). Each share counts half a window at least, so that an empty bin is no
   * infinity.
   */
  psi(): number {
    const least = 0.5 / Math.max(this.count, 1);
    return this.#shares().reduce((sum, share, bin) => {
      const p = Math.max(share, least);
      const q = Math.max(this.reference.shares[bin] ?? 0, least);
      return sum + (p - q) * Math.log(p / q);
    }, 0);
  }

  /** Kolmogorov and Smirnov's statistic at the bins' edges: the largest distance of the cumulative shares. */
  ks(): number {
    let distance = 0;
    let difference = 0;
    for (const [bin, share] of this.#shares().entries()) {
      difference += share - (this.reference.shares[bin] ?? 0);
      distance = Math.max(distance, Math.abs(difference));
    }
    return distance;
  }

  #shares(): number[] {
    return this.#counts.map((count) => count / Math.max(this.count, 1));
  }
}
