import { readFileSync } from "node:fs";
import type { FlowCurveSource, FlowPoint } from "./flow-curve-source.ts";

/** Recorded signals; where they come from and their terms: recordings/README.md. */
export type RecordingName = "ppg-100hz" | "daphnet-accelerometer-64hz" | "stormer-viscometer" | "plasma-esr";

/** The rows of a recording, as text. */
export function recording(name: RecordingName): string[][] {
  const text = readFileSync(new URL(`recordings/${name}.csv`, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
}

/** Fibrinogen of 32 people, in g/l. */
export function recordedFibrinogen(): number[] {
  return recording("plasma-esr")
    .slice(1)
    .map((row) => Number(row[1]));
}

export interface StormerRow {
  /** In mPa·s (the recording says centipoise, which is the same). */
  readonly viscosity: number;
  readonly weightGrams: number;
  /** For 100 revolutions. */
  readonly timeSeconds: number;
}

export function recordedStormer(): StormerRow[] {
  return recording("stormer-viscometer")
    .slice(1)
    .map(([, viscosity, weight, time]) => ({
      viscosity: Number(viscosity),
      weightGrams: Number(weight),
      timeSeconds: Number(time),
    }));
}

export interface RecordedSignal {
  /** Between two samples. */
  readonly periodMs: number;
  readonly samples: readonly (readonly number[])[];
}

/** The optical pulse of one person: ADC counts at 100 Hz. */
export function recordedPulse(): RecordedSignal {
  return { periodMs: 10, samples: recording("ppg-100hz").map((row) => row.map(Number)) };
}

/** Nine axes of three accelerometers on somebody who walks: milli-g at 64 Hz. */
export function recordedGait(): RecordedSignal {
  const [, ...rows] = recording("daphnet-accelerometer-64hz");
  return { periodMs: 1000 / 64, samples: rows.map((row) => row.slice(1, 10).map(Number)) };
}

/** Shear rate of the recorded viscometer, times its time; the recording leaves its geometry open, this is a usual one. */
const STORMER_REVOLUTIONS_TO_RATE = 2000;

/**
 * Replays the calibration of a Stormer viscometer as one curve of 23 points, exactly as measured, again and again.
 * `toRaw` undoes the calibration that a host will apply.
 */
export function stormerReplay(toRaw: (stressPa: number) => number): FlowCurveSource {
  const points: FlowPoint[] = recordedStormer().map((row) => {
    const shearRate = STORMER_REVOLUTIONS_TO_RATE / row.timeSeconds;
    return {
      shearRate,
      shearStress: toRaw((row.viscosity / 1000) * shearRate),
      temperature: 20,
      haematocrit: 0,
      clogged: false,
      clipped: false,
    };
  });
  return {
    pointsPerCurve: points.length,
    curve: () => points,
    empty: () => ({ shearStress: toRaw(0), temperature: 20, clogged: false, clipped: false }),
  };
}
