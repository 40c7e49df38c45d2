import type { Arrangement } from "./arrangement.ts";
import type { Outcome } from "./outcome.ts";

/** Below this sum of squares (of logarithms) a metric is constant and says nothing. */
const SPREAD_MIN = 1e-18;

/**
 * Residuals of the units: each device's outcome less its stratum's mean, less what its own past predicts. The slope is
 * fitted over all devices alike. A device without data gets 0, one without a past is not adjusted; `shift` is first
 * taken off the real canary, for asking whether the effect is that large.
 */
export function residuals(
  outcome: Outcome,
  arrangement: Arrangement,
  shift: number,
  out: Float64Array,
): void {
  const { deviceCount, unitOf, unitSize, stratumOf, isCanary, sizeOf } = arrangement;
  const strata = sizeOf.length;
  const y = new Float64Array(deviceCount);
  const x = outcome.before;
  const sumY = new Float64Array(strata);
  const countY = new Float64Array(strata);
  const sumX = new Float64Array(strata);
  const sumYBoth = new Float64Array(strata);
  const countBoth = new Float64Array(strata);
  for (let device = 0; device < deviceCount; device++) {
    const value = (outcome.now[device] ?? Number.NaN) - (isCanary[device] === 1 ? shift : 0);
    y[device] = value;
    if (Number.isNaN(value)) continue;
    const stratum = stratumOf[unitOf[device] ?? 0] ?? 0;
    sumY[stratum] = (sumY[stratum] ?? 0) + value;
    countY[stratum] = (countY[stratum] ?? 0) + 1;
    const past = x[device] ?? Number.NaN;
    if (Number.isNaN(past)) continue;
    sumX[stratum] = (sumX[stratum] ?? 0) + past;
    sumYBoth[stratum] = (sumYBoth[stratum] ?? 0) + value;
    countBoth[stratum] = (countBoth[stratum] ?? 0) + 1;
  }
  let sxx = 0;
  let sxy = 0;
  for (let device = 0; device < deviceCount; device++) {
    const stratum = stratumOf[unitOf[device] ?? 0] ?? 0;
    const both = countBoth[stratum] ?? 0;
    const dx = (x[device] ?? Number.NaN) - (sumX[stratum] ?? 0) / both;
    const dy = (y[device] ?? Number.NaN) - (sumYBoth[stratum] ?? 0) / both;
    if (Number.isNaN(dx) || Number.isNaN(dy)) continue;
    sxx += dx * dx;
    sxy += dx * dy;
  }
  const slope = sxx > SPREAD_MIN ? sxy / sxx : 0;
  out.fill(0);
  for (let device = 0; device < deviceCount; device++) {
    const value = y[device] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const unit = unitOf[device] ?? 0;
    const stratum = stratumOf[unit] ?? 0;
    const dx = (x[device] ?? Number.NaN) - (sumX[stratum] ?? 0) / (countBoth[stratum] ?? 0);
    const adjusted =
      value - (sumY[stratum] ?? 0) / (countY[stratum] ?? 1) - (Number.isNaN(dx) ? 0 : slope * dx);
    out[unit] = (out[unit] ?? 0) + adjusted / (unitSize[unit] ?? 1);
  }
}

/** What is known of a metric at one look, beside the statistic of every draw. */
export interface Scale {
  /** Difference of the real arms' means, on the log scale, more is worse. */
  readonly difference: number;
  /** Standard deviation of the residuals within the arms. */
  readonly sd: number;
  /** The difference's standard error is sd/√weight; for one stratum the weight is c·b/(c+b). */
  readonly weight: number;
}

/**
 * The studentised difference of arms for every draw, strata weighted by c·b/(c+b); undefined where the residuals are
 * constant or too few. `out` gets one number a draw.
 */
export function studentise(e: Float64Array, arrangement: Arrangement, out: Float64Array): Scale | undefined {
  const { unitCount, stratumOf, drawnOf, sizeOf, draws, drawCount } = arrangement;
  const strata = sizeOf.length;
  const mean = new Float64Array(strata);
  for (let unit = 0; unit < unitCount; unit++) {
    const stratum = stratumOf[unit] ?? 0;
    mean[stratum] = (mean[stratum] ?? 0) + (e[unit] ?? 0) / (sizeOf[stratum] ?? 1);
  }
  let weight = 0;
  let freedom = 0;
  const inverse = new Float64Array(strata);
  for (let stratum = 0; stratum < strata; stratum++) {
    const c = drawnOf[stratum] ?? 0;
    const b = (sizeOf[stratum] ?? 0) - c;
    if (c === 0 || b === 0) continue;
    weight += (c * b) / (c + b);
    inverse[stratum] = (c + b) / (c * b);
    freedom += c + b - 2;
  }
  if (freedom <= 0) return undefined;
  const centred = new Float64Array(unitCount);
  let squares = 0;
  for (let unit = 0; unit < unitCount; unit++) {
    const stratum = stratumOf[unit] ?? 0;
    // A stratum with one arm only says nothing about the difference.
    if (inverse[stratum] === 0) continue;
    const value = (e[unit] ?? 0) - (mean[stratum] ?? 0);
    centred[unit] = value;
    squares += value * value;
  }
  if (!(squares > SPREAD_MIN)) return undefined;
  // A draw that splits the units perfectly would have no spread left, and an infinite statistic.
  const squaresMin = squares * 1e-9;
  const rootWeight = Math.sqrt(weight);
  let real = 0;
  let realSd = 0;
  for (let index = 0, at = 0; index < drawCount; index++) {
    let total = 0;
    let within = squares;
    for (let stratum = 0; stratum < strata; stratum++) {
      let sum = 0;
      for (const end = at + (drawnOf[stratum] ?? 0); at < end; at++) sum += centred[draws[at] ?? 0] ?? 0;
      total += sum;
      within -= sum * sum * (inverse[stratum] ?? 0);
    }
    const sd = Math.sqrt(Math.max(within, squaresMin) / freedom);
    out[index] = total / (sd * rootWeight);
    if (index === 0) {
      real = total / weight;
      realSd = sd;
    }
  }
  return { difference: real, sd: realSd, weight };
}

/** Share of draws whose statistic is at least the real one's. */
export function upperP(statistic: Float64Array): number {
  const real = statistic[0] ?? Number.NaN;
  let atLeast = 0;
  for (let index = 0; index < statistic.length; index++) if ((statistic[index] ?? 0) >= real) atLeast++;
  return atLeast / statistic.length;
}

/** Share of draws whose statistic is at most the real one's. */
export function lowerP(statistic: Float64Array): number {
  const real = statistic[0] ?? Number.NaN;
  let atMost = 0;
  for (let index = 0; index < statistic.length; index++) if ((statistic[index] ?? 0) <= real) atMost++;
  return atMost / statistic.length;
}
