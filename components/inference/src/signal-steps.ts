import type { SignalStep, Statistic } from "./manifest.ts";

/** What a manifest's steps make of a window's samples, one after the other: numbers in, numbers out, no state. */
export function preprocess(samples: Float64Array, steps: readonly SignalStep[]): Float64Array {
  return steps.reduce(step, samples);
}

function step(values: Float64Array, of: SignalStep): Float64Array {
  switch (of.op) {
    case "detrend":
      return of.order === 0 ? centred(values) : withoutLine(values);
    case "filter":
      return filtered(values, of);
    case "statistics":
      break;
  }
  return Float64Array.from(of.names, (name) => statistics[name](values));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function centred(values: Float64Array): Float64Array {
  const level = mean(values);
  return values.map((value) => value - level);
}

/** Less the line of least squares. */
function withoutLine(values: Float64Array): Float64Array {
  const middle = (values.length - 1) / 2;
  const level = mean(values);
  let covariance = 0;
  let variance = 0;
  for (const [index, value] of values.entries()) {
    covariance += (index - middle) * (value - level);
    variance += (index - middle) ** 2;
  }
  const slope = variance === 0 ? 0 : covariance / variance;
  return values.map((value, index) => value - level - slope * (index - middle));
}

/**
 * A second-order Butterworth section by the bilinear transform, which begins at rest at the first sample's level.
 * @see https://www.w3.org/TR/audio-eq-cookbook/ with Q = 1/√2
 */
function filtered(
  values: Float64Array,
  { kind, cutoffHz, sampleRateHz }: Extract<SignalStep, { op: "filter" }>,
): Float64Array {
  const omega = (2 * Math.PI * cutoffHz) / sampleRateHz;
  const cosine = Math.cos(omega);
  const alpha = Math.sin(omega) / Math.SQRT2;
  const sign = kind === "low-pass" ? -1 : 1;
  const edge = (1 + sign * cosine) / 2 / (1 + alpha);
  const [b0, b1, b2] = [edge, -2 * sign * edge, edge];
  const [a1, a2] = [(-2 * cosine) / (1 + alpha), (1 - alpha) / (1 + alpha)];
  const rest = values[0] ?? 0;
  let [x1, x2] = [rest, rest];
  let [y1, y2] = kind === "low-pass" ? [rest, rest] : [0, 0];
  return values.map((x) => {
    const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    return y;
  });
}

function moment(values: Float64Array, order: number): number {
  const level = mean(values);
  return values.reduce((sum, value) => sum + (value - level) ** order, 0) / values.length;
}

/** Of the population, not of a sample of it; shape statistics of a constant are 0. */
const statistics: Readonly<Record<Statistic, (values: Float64Array) => number>> = {
  mean,
  deviation: (values) => Math.sqrt(moment(values, 2)),
  rms: (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length),
  minimum: (values) => values.reduce((a, b) => Math.min(a, b)),
  maximum: (values) => values.reduce((a, b) => Math.max(a, b)),
  skewness: (values) => ratio(moment(values, 3), moment(values, 2) ** 1.5),
  kurtosis: (values) => ratio(moment(values, 4), moment(values, 2) ** 2),
  "zero-crossings": (values) =>
    values.reduce((count, value, index) => {
      const before = values[index - 1];
      return before !== undefined && before < 0 !== value < 0 ? count + 1 : count;
    }, 0),
};

function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}
