import type { Measurement } from "@coalmine/contract";

/** What a model scores at once: one row of its input, and where that came from. */
export interface Window {
  readonly instrument: Measurement["instrument"];
  readonly boot: number;
  /** First and last sequence number that it read, inclusive. */
  readonly from: number;
  readonly to: number;
  /** Of its last sample. */
  readonly sampleTimeMs: number;
  readonly sampleTimeUncertaintyMs: number;
  readonly calibrationId: string;
  /** The worst quality among its points. */
  readonly quality: Measurement["quality"];
  readonly input: Float32Array;
}

/** Puts windows together from points that may come in pieces, twice, and out of order; each window is given once. */
export interface Windows {
  add(points: readonly Measurement[]): Window[];
  /** Points of windows that are not complete, for whoever takes over. */
  open(): Measurement[];
}

const rank = { good: 0, uncertain: 1, bad: 2 } as const;

/** What a window says of all its points. */
export function summary(
  points: readonly Measurement[],
): Pick<Window, "sampleTimeMs" | "sampleTimeUncertaintyMs" | "quality"> {
  let sampleTimeMs = Number.NEGATIVE_INFINITY;
  let sampleTimeUncertaintyMs = 0;
  let quality: Measurement["quality"] = { level: "good" };
  for (const point of points) {
    sampleTimeMs = Math.max(sampleTimeMs, point.sampleTimeMs);
    sampleTimeUncertaintyMs = Math.max(sampleTimeUncertaintyMs, point.sampleTimeUncertaintyMs);
    if (rank[point.quality.level] > rank[quality.level]) quality = point.quality;
  }
  return { sampleTimeMs, sampleTimeUncertaintyMs, quality };
}

/** The keys that were seen last, so that what comes again is known; the oldest are forgotten. */
export class Recent {
  readonly #keys = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** True the first time. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    for (const oldest of this.#keys) {
      if (this.#keys.size <= this.#max) break;
      this.#keys.delete(oldest);
    }
    return true;
  }
}
