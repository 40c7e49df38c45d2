export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean to mean; NaN where either is zero. */
export function meanRatio(experiment: readonly number[], control: readonly number[]): number {
  const above = mean(experiment);
  const below = mean(control);
  return above === 0 || below === 0 ? Number.NaN : above / below;
}

/** Chance that a point of the experiment is above one of the control, ties counted half (McGraw and Wong 1992). */
export function commonLanguage(experiment: readonly number[], control: readonly number[]): number {
  let above = 0;
  for (const x of experiment) for (const y of control) above += x > y ? 1 : x === y ? 0.5 : 0;
  return above / (experiment.length * control.length);
}

/** Difference of means in pooled standard deviations, arms weighted alike (Cohen 1988). */
export function cohensD(experiment: readonly number[], control: readonly number[]): number {
  return (
    (mean(experiment) - mean(control)) / Math.sqrt((sampleVariance(experiment) + sampleVariance(control)) / 2)
  );
}

function sampleVariance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) * (value - centre), 0) / (values.length - 1);
}
