import type { InstrumentId, Measurement, Quality } from "@coalmine/contract";
import {
  alongTable,
  apparentViscosity,
  calibrate,
  flowCurveChannels,
  type Reading,
} from "@coalmine/instrument";
import type { Config } from "./config.ts";

/** When a reading was sampled, on the wall clock. `dated` false: before a restart that nobody watched. */
export interface SampleTime {
  readonly ms: number;
  readonly uncertaintyMs: number;
  readonly dated: boolean;
}

/** What a reading is worth: its points, and of a good control reading how far it is from the reference. */
export interface Worth {
  readonly points: readonly Measurement[];
  readonly controlResidual: number | undefined;
}

export function worthOf(
  of: { readonly instrument: InstrumentId; readonly boot: number; readonly sequence: number },
  reading: Reading,
  time: SampleTime,
  config: Pick<Config, "calibration" | "controlReference">,
): Worth {
  const stress = calibrate(config.calibration, reading.shearStress);
  const flows = reading.shearRate > 0;
  // JSON has no word for what is not finite.
  const viscosity = flows ? apparentViscosity(stress.value, reading.shearRate) : 0;
  const dated: Quality = time.dated ? { level: "good" } : { level: "uncertain", cause: "stale" };
  const flow: Quality = !flows
    ? { level: "bad", cause: "instrument" }
    : reading.clogged
      ? { level: "bad", cause: "clogged" }
      : reading.clipped
        ? { level: "bad", cause: "clipped" }
        : stress.inRange
          ? dated
          : { level: "uncertain", cause: "out-of-range" };
  const values: Record<(typeof flowCurveChannels)[number]["channel"], readonly [number, Quality]> = {
    "shear-rate": [reading.shearRate, flow],
    "apparent-viscosity": [viscosity, flow],
    temperature: [reading.temperature, dated],
    haematocrit: [reading.haematocrit, dated],
    "curve-point": [reading.point, dated],
  };
  const points = flowCurveChannels.map(({ channel, unit }): Measurement => {
    const [value, quality] = values[channel];
    return {
      instrument: of.instrument,
      boot: of.boot,
      sequence: of.sequence,
      // Apart from the samples, so that nobody takes the control fluid for blood.
      channel: reading.control ? `control-${channel}` : channel,
      sampleTimeMs: time.ms,
      sampleTimeUncertaintyMs: time.uncertaintyMs,
      value,
      unit,
      quality,
      calibrationId: config.calibration.id,
    };
  });
  const judged = reading.control && flow.level !== "bad";
  const expected = alongTable(config.controlReference, reading.temperature);
  return { points, controlResidual: judged ? Math.abs(viscosity / expected - 1) : undefined };
}
