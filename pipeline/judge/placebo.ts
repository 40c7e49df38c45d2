/** Past windows without any update that a hand-picked canary must have been tried on before it may halt by itself. */
export const PLACEBO_WINDOWS_MIN = 20;

/**
 * Whether a canary that was not drawn can be trusted all the same: the rule, run over past windows in which nothing
 * changed, halted no more often than alpha explains (chance of so many or more, at least 5 %).
 */
export function placeboVouches(
  placebo: { readonly windows: number; readonly halts: number } | undefined,
  alpha: number,
): boolean {
  if (placebo === undefined || placebo.windows < PLACEBO_WINDOWS_MIN || placebo.halts > placebo.windows)
    return false;
  return binomialUpperTail(placebo.halts, placebo.windows, alpha) >= 0.05;
}

/** Chance of at least `successes` in `trials`. */
export function binomialUpperTail(successes: number, trials: number, chance: number): number {
  let term = 1;
  for (let trial = 0; trial < trials; trial++) term *= 1 - chance;
  let below = 0;
  for (let k = 0; k < successes; k++) {
    below += term;
    term *= ((trials - k) / (k + 1)) * (chance / (1 - chance));
  }
  return Math.max(0, 1 - below);
}
