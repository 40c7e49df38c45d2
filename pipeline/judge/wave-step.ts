import * as z from "zod";
import { arrange } from "./arrangement.ts";
import { type Bundle, type Device, Look, type Metric, Pair } from "./bundle.ts";
import { compareArms, isHalting, isHarm, ratioOf, type Comparison } from "./comparison.ts";
import { normalCdf, normalQuantile } from "./exact-math.ts";
import { durationText, ratioText } from "./verdict.ts";

/** What a wave adds to the evidence of all waves; `p` is null where nothing could be compared. */
export const StepFinding = z.object({
  p: z.number().gt(0).max(1).nullable(),
  weight: z.number().nonnegative(),
});
export type StepFinding = z.infer<typeof StepFinding>;

/** A wave beside those that it left without the release, over a time that was fixed before it began. */
export const WaveStep = z.object({
  /** Devices that were told when the wave began. */
  joined: z.array(z.string()),
  /** Devices of earlier waves and of the canary: they belong to neither side. */
  earlier: z.array(z.string()),
  before: z.record(z.string(), z.array(Pair)),
  look: Look,
  /** Makes the re-draws. */
  seed: z.string(),
  alpha: z.number().gt(0).lt(1),
  draws: z.int().positive(),
  /** How many waves of the plan leave somebody without the release: each may spend the same part of alpha. */
  waves: z.int().positive(),
  /** Of the waves before. */
  found: z.array(StepFinding),
});
export type WaveStep = z.infer<typeof WaveStep>;

export interface StepJudged {
  readonly finding: StepFinding;
  /** Why it halts; undefined where it does not. */
  readonly halting: string | undefined;
}

/**
 * Waves are steps of a stepped wedge: given all that came before, who joins next is a fair draw of those that are left, so
 * that each wave has a p of its own by re-drawing it, exact whatever the earlier ones showed. They are added up by the
 * inverse normal method, weighted by size. Pure.
 * @see docs/spec/judge.md
 */
export function judgeStep(
  devices: readonly Device[],
  metrics: readonly Metric[],
  step: WaveStep,
): StepJudged {
  const compared = comparedIn(devices, metrics, step);
  const finding = compared?.finding ?? { p: null, weight: 0 };
  const { p, waves } = together([...step.found, finding]);
  const harms = compared?.latest.filter(
    (one) => isHalting(one.metric) && isHarm({ ...one, significant: true }),
  );
  const worst = harms?.toSorted((a, b) => (a.p ?? 1) - (b.p ?? 1))[0];
  const halts = worst !== undefined && finding.p !== null && p <= step.alpha / step.waves;
  return {
    finding,
    halting: halts
      ? `${worst.metric.name} is ${ratioText(ratioOf(worst.metric, worst.scale?.difference ?? 0))} on the ${step.joined.length} devices of this wave that of those still without the release, ${durationText(step.look.elapsedMs)} after they were told; ${waves === 1 ? "" : `${waves} waves together give `}p = ${p.toPrecision(2)}, and ${(step.alpha / step.waves).toPrecision(2)} halts.`
      : undefined,
  };
}

interface Compared {
  readonly finding: StepFinding;
  readonly latest: readonly Comparison[];
}

function comparedIn(
  devices: readonly Device[],
  metrics: readonly Metric[],
  step: WaveStep,
): Compared | undefined {
  const earlier = new Set(step.earlier);
  const left = devices.map(({ thing }) => !earlier.has(thing));
  const only = (values: Bundle["before"]): Bundle["before"] =>
    Object.fromEntries(
      Object.entries(values).map(([name, pairs]) => [name, pairs.filter((_, at) => left[at])]),
    );
  const draw = { how: "drawn" as const, seed: step.seed, canary: step.joined };
  const policy: Bundle["policy"] = {
    judgedBy: "comparison",
    alpha: step.alpha / step.waves,
    alphaPromote: step.alpha,
    draws: step.draws,
    // Whether it is safe is not asked again.
    soakMs: step.look.elapsedMs + 1,
    horizonMs: step.look.elapsedMs,
    coverageMin: 1,
    guard: { toleratedRate: 0.01, eValueMin: 1000 },
  };
  const arrangement = arrange({ devices: devices.filter((_, at) => left[at]), draw, policy });
  if (typeof arrangement === "string") return undefined;
  const looks = [{ ...step.look, values: only(step.look.values) }];
  const compared = { metrics: [...metrics], policy, before: only(step.before), looks };
  const { latest, worstP } = compareArms(compared, arrangement);
  if (worstP === undefined) return undefined;
  const { sizeOf, drawnOf } = arrangement;
  // What the comparison of a stratum of c and b units knows grows with c·b/(c+b); of sizes alone, whatever was seen.
  const weight = sizeOf.reduce((sum, size, at) => {
    const drawn = drawnOf[at] ?? 0;
    return sum + (drawn * (size - drawn)) / size;
  }, 0);
  return { finding: { p: worstP, weight }, latest };
}

/** By the inverse normal method: p's that are uniform given the earlier ones make one that is uniform too. */
function together(findings: readonly StepFinding[]): { readonly p: number; readonly waves: number } {
  const known = findings.filter(({ p }) => p !== null);
  const weight = known.reduce((sum, one) => sum + one.weight, 0);
  const z = known.reduce((sum, one) => sum + Math.sqrt(one.weight) * normalQuantile(1 - (one.p ?? 1)), 0);
  return { p: weight > 0 ? normalCdf(-z / Math.sqrt(weight)) : 1, waves: known.length };
}
