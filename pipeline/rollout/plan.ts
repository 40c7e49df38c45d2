import { Sha256 } from "@coalmine/contract";
import * as z from "zod";
import { Device } from "../judge/bundle.ts";
import { promotesItself, targetPolicy, type Policy } from "../policy.ts";
import { ComponentSet } from "./deployment.ts";
import { Windows } from "./windows.ts";

const Ms = z.number().nonnegative();

/** A target's waits and sizes, as numbers; `rolloutPolicy` makes it from the policy file. */
export const RolloutPolicy = z.object({
  canaryDevices: z.int().positive(),
  unjudgedDevicesMax: z.int().positive(),
  waves: z.array(z.number().gt(0).max(1)).min(1),
  /** Outside of them no canary and no wave begins. */
  windows: Windows.optional(),
  prePeriodMs: Ms,
  soakMs: Ms,
  horizonMs: Ms,
  lookEveryMs: z.number().positive(),
  pulseEveryMs: z.number().positive(),
  waveSoakMs: Ms,
  /** Who promotes once the verdict is PROMOTE. Plans of before there was a choice do not say. */
  promotes: z.enum(["person", "policy"]).default("person"),
  /** What is waited for where two people have let a release through unjudged. */
  emergency: z.object({ soakMs: Ms, waveSoakMs: Ms }).optional(),
  arrivedShareMin: z.number().gt(0).max(1),
  deadlinesMs: z.object({
    draw: Ms,
    deploy: Ms,
    approval: Ms,
    hold: Ms,
    decide: Ms,
    wave: Ms,
    verify: Ms,
    rollback: Ms,
  }),
});
export type RolloutPolicy = z.infer<typeof RolloutPolicy>;

/** A pinned set of components, under the name by which devices are said to report it. */
export const Release = z.object({ id: z.string().min(1), components: ComponentSet });
export type Release = z.infer<typeof Release>;

/** Until when a target has to be quiet before its canary is drawn. */
export function quietUntilMs(target: RolloutTarget, plannedAtMs: number): number {
  return Math.min(plannedAtMs, target.unchangedSinceMs ?? plannedAtMs) + target.policy.prePeriodMs;
}

export const RolloutTarget = z.object({
  name: z.string().min(1),
  canaryGroup: z.string().min(1),
  mainGroup: z.string().min(1),
  devices: z.array(Device).min(2),
  /** Commits to the seed of the draw before anybody can know what it draws. */
  seedHash: Sha256,
  /** What both groups run now, and go back to. */
  lastGood: Release,
  /** Since when, on the target's clock, the last good release has run: a fleet that was quiet long enough need not wait. */
  unchangedSinceMs: z.number().optional(),
  candidate: Release,
  /** Why so many devices are drawn. Plans of before it could follow from the fleet's history do not say. */
  sizedBecause: z.string().optional(),
  /** The rollout by which this target was promoted to the candidate's very set before, by verdict. */
  knownGoodBy: z.string().optional(),
  policy: RolloutPolicy,
});
export type RolloutTarget = z.infer<typeof RolloutTarget>;

/** All that is fixed before a rollout begins. */
export const RolloutPlan = z
  .object({
    version: z.literal(1),
    rollout: z.string().min(1).max(100),
    /** What was pushed, as people name it. */
    release: z.string().min(1),
    targets: z.array(RolloutTarget).min(1),
  })
  .superRefine(({ targets }, context) => {
    if (new Set(targets.map(({ name }) => name)).size !== targets.length)
      context.addIssue("two targets have one name");
    for (const { name, lastGood, candidate } of targets)
      if (lastGood.id === candidate.id)
        context.addIssue(`target ${name} already runs ${candidate.id}: there is nothing to roll out`);
  });
export type RolloutPlan = z.infer<typeof RolloutPlan>;

export function rolloutPolicy(
  whole: Policy,
  target: string,
  /** What follows from the fleet that it is planned for. */
  { canaryDevices, windows }: { readonly canaryDevices: number; readonly windows: Windows | undefined },
): RolloutPolicy {
  const policy = targetPolicy(whole, target);
  return {
    promotes: promotesItself(whole, target) ? "policy" : "person",
    canaryDevices,
    unjudgedDevicesMax: policy.unjudgedDevicesMax,
    waves: policy.waves,
    ...(windows === undefined ? {} : { windows }),
    prePeriodMs: policy.prePeriod,
    soakMs: policy.soak,
    horizonMs: policy.horizon,
    lookEveryMs: policy.lookEvery,
    pulseEveryMs: policy.pulseEvery,
    waveSoakMs: policy.waveSoak,
    ...(policy.emergency === undefined
      ? {}
      : { emergency: { soakMs: policy.emergency.soak, waveSoakMs: policy.emergency.waveSoak } }),
    arrivedShareMin: policy.arrivedShareMin,
    deadlinesMs: policy.deadlines,
  };
}
