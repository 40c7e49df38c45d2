/**
 * Evidence that more than a tolerated share of devices fails, after `failed` of `n`: the mean, over all rates above the
 * tolerated one, of how much better that rate explains what was seen. Valid whenever it is looked at.
 *
 * The integral of p^s (1-p)^(n-s) from p0 to 1 is a tail of a binomial sum, so that only a finite sum remains:
 * E = Σ_{j=0..s} C(n+1, j) · odds^(s-j) / ((n+1) · C(n, s)), odds = (1-p0)/p0.
 */
export function eValue(failed: number, n: number, toleratedRate: number): number {
  if (!(n > 0) || !(failed > 0) || failed > n || !(toleratedRate > 0) || !(toleratedRate < 1)) return 0;
  const odds = (1 - toleratedRate) / toleratedRate;
  let term = (n + 1) / (n + 1 - failed);
  let sum = term;
  for (let j = failed; j >= 1; j--) {
    term *= (j / (n + 2 - j)) * odds;
    sum += term;
  }
  return sum / (n + 1);
}

export interface GuardFinding {
  /** Groups of devices that fail together count once. */
  readonly updated: number;
  readonly failed: number;
  readonly toleratedRate: number;
  readonly eValue: number;
  readonly tripped: boolean;
  readonly failing: readonly string[];
}

interface GuardInput {
  readonly devices: readonly { thing: string; cluster: string }[];
  readonly canary: ReadonlySet<string>;
  readonly updated: readonly string[];
  readonly failing: readonly { thing: string }[];
  readonly toleratedRate: number;
  readonly eValueMin: number;
}

/**
 * The catastrophe guard: needs no baseline and acts from two devices on. Where the baseline fails as well, its own
 * rate is tolerated, so that an outage of everybody is not the release's fault.
 */
export function guard(input: GuardInput): GuardFinding {
  const updated = new Set(input.updated);
  const failing = new Set(input.failing.map(({ thing }) => thing));
  const arm = { canary: new Set<string>(), baseline: new Set<string>() };
  const bad = { canary: new Set<string>(), baseline: new Set<string>() };
  for (const { thing, cluster } of input.devices) {
    const side = input.canary.has(thing) ? "canary" : "baseline";
    if (side === "canary" && !updated.has(thing)) continue;
    arm[side].add(cluster);
    if (failing.has(thing)) bad[side].add(cluster);
  }
  const baselineRate = arm.baseline.size === 0 ? 0 : bad.baseline.size / arm.baseline.size;
  const toleratedRate = Math.min(0.999, Math.max(input.toleratedRate, baselineRate));
  const e = eValue(bad.canary.size, arm.canary.size, toleratedRate);
  return {
    updated: arm.canary.size,
    failed: bad.canary.size,
    toleratedRate,
    eValue: e,
    tripped: e >= input.eValueMin,
    failing: input.devices
      .filter(({ thing }) => updated.has(thing) && failing.has(thing))
      .map(({ thing }) => thing),
  };
}
