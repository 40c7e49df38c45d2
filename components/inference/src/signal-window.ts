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
  readonly #open = new Map<string, Measurement>();
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
    for (const point of fresh) this.#open.set(sampleKey(point, point.sequence), point);
    const windows = fresh.flatMap((point) => this.#completedBy(point));
    for (const key of this.#open.keys()) {
      if (this.#open.size <= SAMPLES_OPEN_MAX) break;
      this.#open.delete(key);
      this.dropped++;
    }
    return windows;
  }

  open(): Measurement[] {
    return [...this.#open.values()];
  }

  #completedBy(point: Measurement): Window[] {
    const { samples, hop } = this.#of;
    const first = Math.max(0, Math.ceil((point.sequence - samples + 1) / hop));
    const last = Math.floor(point.sequence / hop);
    const windows: Window[] = [];
    for (let at = first; at <= last; at++) windows.push(...this.#window(point, at * hop));
    return windows;
  }

  #window(of: Measurement, from: number): Window[] {
    const { samples, hop } = this.#of;
    const points: Measurement[] = [];
    for (let at = 0; at < samples; at++) {
      const point = this.#open.get(sampleKey(of, from + at));
      if (point === undefined) return [];
      points.push(point);
    }
    if (!this.#done.add(sampleKey(of, from))) return [];
    // No later window begins before the next multiple of `hop`.
    for (let at = 0; at < hop && at < samples; at++) this.#open.delete(sampleKey(of, from + at));
    const { instrument, boot, calibrationId } = of;
    const values = Float64Array.from(points, (point) => point.value);
    return [
      {
        instrument,
        boot,
        from,
        to: from + samples - 1,
        calibrationId,
        ...summary(points),
        input: Float32Array.from(preprocess(values, this.#of.steps)),
      },
    ];
  }
}

function sampleKey(of: Measurement, sequence: number): string {
  return `${of.instrument}/${of.boot}/${sequence}`;
}
