import { calibrate, type CalibrationCurve } from "../calibration.ts";
import type { Reading } from "../message.ts";
import * as z from "zod";
import { type ReferenceFluid, viscosityAt } from "./reference-fluid.ts";

/** Standard uncertainties; the first four are shares of the stress, the last two in Pa. @see JCGM 100:2008 (GUM), section 5.1 */
export const UncertaintyBudget = z.object({
  /** Of the fluid's viscosity, by its certificate. */
  reference: z.number(),
  /** Of its temperature, through what a kelvin does to its viscosity. */
  temperature: z.number(),
  /** Of the mean of the curves, by their scatter. */
  repeatability: z.number(),
  /** Of the three. */
  combined: z.number(),
  /** Of the sensor's zero, by the fit. */
  zeroPa: z.number(),
  resolutionPa: z.number(),
});
export type UncertaintyBudget = z.infer<typeof UncertaintyBudget>;

/** What is known of these instruments, whoever calibrates one. */
const TEMPERATURE_UNCERTAINTY_K = 0.1;
const RESOLUTION_PA = 0.0001;
/** One reading's standard deviation, for the weights of the fit: a floor and a share. */
const NOISE_PA = 0.0005;
const NOISE_SHARE = 0.005;

/** What a new curve must keep to. */
export const calibrationLimits = {
  /** Scatter of the slope from curve to curve, one standard deviation. */
  repeatabilityShare: 0.01,
  /** Of any reading from the new curve, where it is above `residualFromPa`. */
  residualShare: 0.05,
  residualFromPa: 0.1,
  /** From the last curve, anywhere in the new one's range above `residualFromPa`. */
  deviationShare: 0.05,
  /** The fit must reach this stress, so that samples lie within it. */
  reachPa: 5,
} as const;

export interface Fit {
  readonly coefficients: readonly [number, number];
  readonly validFrom: number;
  readonly validTo: number;
  readonly budget: UncertaintyBudget;
  /** Greatest difference from the last curve, as a share. */
  readonly deviation: number;
  readonly meanTemperature: number;
  readonly readings: number;
}

/**
 * Fits stress = a + b · raw to flow curves of a reference fluid, each reading held against the fluid's viscosity at its
 * own temperature. The reason in words where the result is not to be used.
 */
export function fitCalibration(
  curves: readonly (readonly Reading[])[],
  fluid: ReferenceFluid,
  last: CalibrationCurve,
): Fit | { readonly refused: string } {
  const limits = calibrationLimits;
  const flagged = curves.flat().filter(({ clogged, clipped }) => clogged || clipped).length;
  if (flagged > 0)
    return {
      refused: `the instrument calls ${flagged} readings clogged or clipped: flush it and begin again`,
    };
  const points = curves.map((curve) => curve.map((reading) => pointOf(reading, fluid)));
  const all = points.flat();
  const temperatures = curves.flat().map(({ temperature }) => temperature);
  if (all.some((point) => point === undefined))
    return {
      refused: `a reading was taken at ${Math.min(...temperatures).toFixed(1)} to ${Math.max(...temperatures).toFixed(1)} °C, the fluid's table has ${fluid.viscosity[0]?.[0]} to ${fluid.viscosity.at(-1)?.[0]} °C: warm or cool it, or use another fluid`,
    };
  const known = all.filter((point) => point !== undefined);
  const { a, b, zeroPa } = weightedLine(known);
  const slopes = points.map((curve) => weightedLine(curve.filter((point) => point !== undefined)).b);
  const scatter = deviationOf(slopes) / b;
  if (!(b > 0) || !(scatter <= limits.repeatabilityShare))
    return {
      refused: `from curve to curve the slope scatters by ${percent(scatter)}, at most ${percent(limits.repeatabilityShare)} is usable: look for bubbles, flush, fill and begin again`,
    };
  const strong = known.filter(({ stress }) => stress >= limits.residualFromPa);
  const residual = Math.max(0, ...strong.map(({ raw, stress }) => Math.abs((a + b * raw) / stress - 1)));
  if (residual > limits.residualShare)
    return {
      refused: `a reading lies ${percent(residual)} from the straight line, at most ${percent(limits.residualShare)} is usable: check that the fluid is the one that is named, and Newtonian`,
    };
  const reach = Math.max(...known.map(({ stress }) => stress));
  if (reach < limits.reachPa)
    return {
      refused: `the fluid reaches ${reach.toPrecision(2)} Pa, samples reach ${limits.reachPa} Pa: use a thicker reference fluid`,
    };
  const raws = known.map(({ raw }) => raw);
  const deviation = Math.max(
    ...strong.map(({ raw }) => Math.abs((a + b * raw) / calibrate(last, raw).value - 1)),
  );
  if (deviation > limits.deviationShare)
    return {
      refused: `it lies ${percent(deviation)} from the last curve (${last.id}), at most ${percent(limits.deviationShare)} is believed: check fluid and lot, flush and begin again; if it stays, the sensor has to be replaced`,
    };
  const sharePerKelvin = Math.max(...known.map((point) => Math.abs(point.sharePerKelvin)));
  const shares = {
    reference: fluid.expandedUncertainty / fluid.coverageFactor,
    temperature: TEMPERATURE_UNCERTAINTY_K * sharePerKelvin,
    repeatability: scatter / Math.sqrt(slopes.length),
  };
  return {
    coefficients: [a, b],
    validFrom: Math.min(...raws),
    validTo: Math.max(...raws),
    budget: {
      ...shares,
      combined: Math.hypot(shares.reference, shares.temperature, shares.repeatability),
      zeroPa,
      resolutionPa: RESOLUTION_PA / Math.sqrt(12),
    },
    deviation,
    meanTemperature: temperatures.reduce((sum, each) => sum + each, 0) / temperatures.length,
    readings: temperatures.length,
  };
}

interface Point {
  readonly raw: number;
  readonly stress: number;
  readonly sharePerKelvin: number;
}

function pointOf(reading: Reading, fluid: ReferenceFluid): Point | undefined {
  const at = viscosityAt(fluid, reading.temperature);
  if (at === undefined) return undefined;
  const stress = (at.mPaS * reading.shearRate) / 1000;
  return { raw: reading.shearStress, stress, sharePerKelvin: at.sharePerKelvin };
}

/** Least squares of stress over raw, each weighed by what one reading scatters; with the standard deviation of `a`. */
function weightedLine(points: readonly Point[]): { a: number; b: number; zeroPa: number } {
  let w = 0;
  let wx = 0;
  let wy = 0;
  let wxx = 0;
  let wxy = 0;
  for (const { raw, stress } of points) {
    const weight = 1 / (NOISE_PA ** 2 + (NOISE_SHARE * stress) ** 2);
    w += weight;
    wx += weight * raw;
    wy += weight * stress;
    wxx += weight * raw * raw;
    wxy += weight * raw * stress;
  }
  const determinant = w * wxx - wx * wx;
  const b = (w * wxy - wx * wy) / determinant;
  return { a: (wy - b * wx) / w, b, zeroPa: Math.sqrt(wxx / determinant) };
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
