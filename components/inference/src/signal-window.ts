import type { Measurement } from "@coalmine/contract";
import type { SignalPreprocessing } from "./manifest.ts";
import { preprocess } from "./signal-steps.ts";
import { Recent, summary, type Window, type Windows } from "./window.ts";

/** Samples kept while their windows are incomplete, over all instruments; beyond this the oldest go. */
const SAMPLES_OPEN_MAX = 65_536;
const WINDOWS_DONE_MAX = 4096;

/**
 * Windows of `samples` consecutive sequence numbers of one channel, beginning at each multiple of `hop`: where a window
 * begins does not hang on when the component started, so a replay finds the same ones.
 */
export class SignalWindows implements Windows {
  /** Each with the number of its windows that are not yet given. */
  readonly #open = new Map<string, { readonly point: Measurement; left: number }>();
  readonly #done = new Recent(WINDOWS_DONE_MAX);
  readonly #of: SignalPreprocessing;
  dropped = 0;

  constructor(preprocessing: SignalPreprocessing) {
    this.#of = preprocessing;
  }

  add(points: readonly Measurement[]): Window[] {
    const fresh = points.filter(
      (point) => point.derivation === undefined && point.channel === this.#of.channel,
    );
    for (const point of fresh) {
      const left = this.#starts(point.sequence).filter(
        (from) => !this.#done.has(sampleKey(point, from)),
      ).length;
      if (left > 0) this.#open.set(sampleKey(point, point.sequence), { point, left });
    }
    const windows = fresh.flatMap((point) =>
      this.#starts(point.sequence).flatMap((from) => this.#window(point, from) ?? []),
    );
    for (const key of this.#open.keys()) {
      if (this.#open.size <= SAMPLES_OPEN_MAX) break;
      this.#open.delete(key);
      this.dropped++;
    }
    return windows;
  }

  open(): Measurement[] {
    return Array.from(this.#open.values(), ({ point }) => point);
  }

  /** Where the windows begin that hold this sequence number. */
  #starts(sequence: number): number[] {
    const { samples, hop } = this.#of;
    const starts: number[] = [];
    for (let from = Math.floor(sequence / hop) * hop; from >= 0 && from > sequence - samples; from -= hop)
      starts.push(from);
    return starts.reverse();
  }

  #window(of: Measurement, from: number): Window | undefined {
    const { samples, steps } = this.#of;
    if (this.#done.has(sampleKey(of, from))) return undefined;
    const held = [];
    for (let at = from; at < from + samples; at++) {
      const sample = this.#open.get(sampleKey(of, at));
      if (sample === undefined) return undefined;
      held.push(sample);
    }
    this.#done.add(sampleKey(of, from));
    for (const sample of held)
      if (--sample.left === 0) this.#open.delete(sampleKey(of, sample.point.sequence));
    const points = held.map(({ point }) => point);
    const values = Float64Array.from(points, ({ value }) => value);
    return {
      instrument: of.instrument,
      boot: of.boot,
      from,
      to: from + samples - 1,
      calibrationId: of.calibrationId,
      ...summary(points),
      input: Float32Array.from(preprocess(values, steps)),
    };
  }
}

function sampleKey(of: Measurement, sequence: number): string {
  return `${of.instrument}/${of.boot}/${sequence}`;
}
