import { healthKeys } from "@coalmine/contract";
import { CoalmineError } from "@coalmine/runtime";
import { parse } from "yaml";
import * as z from "zod";
import { JudgePolicy, Metric } from "./judge/bundle.ts";

/** What a release has to prove, per target: the schema of `policy.yaml`. */

const UNITS_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "30 s", "5 min", "12 h", "7 d" → milliseconds. */
export const DurationMs = z
  .string()
  .regex(/^\d+(\.\d+)? (ms|s|min|h|d)$/, "a duration is a number, a blank and one of ms, s, min, h, d")
  .transform((text) => {
    const [amount = "0", unit = "ms"] = text.split(" ");
    const unitMs = Object.entries(UNITS_MS).find(([name]) => name === unit)?.[1] ?? 1;
    return Number(amount) * unitMs;
  });

const Component = z.enum(["sensorReader", "inference", "streamUploader", "logManager"]);

/** Where a metric's pair comes from, in the words of a heartbeat. */
export const MetricSource = z.union([
  /** `[heard, expected]`. */
  z.literal("heartbeats"),
  /** `[counter, per]`; per heartbeat means per expected one, so that silence does not look like thrift. */
  z.strictObject({ component: Component, counter: z.string(), per: z.string() }),
  /** `[sum, count]`. */
  z.strictObject({ component: Component, sum: z.string() }),
]);
export type MetricSource = z.infer<typeof MetricSource>;

const PolicyMetric = Metric.omit({ kind: true })
  .extend({ of: MetricSource })
  .strict()
  .superRefine(({ of }, context) => {
    if (of === "heartbeats") return;
    const keys = healthKeys[of.component];
    const unknown = (kind: "counters" | "sums", name: string) => {
      const known: readonly string[] = keys[kind];
      if (!known.includes(name))
        context.addIssue(
          `${of.component} publishes no ${kind.slice(0, -1)} "${name}"; it has ${known.join(", ")}`,
        );
    };
    if ("sum" in of) return unknown("sums", of.sum);
    unknown("counters", of.counter);
    if (of.per !== "heartbeats") unknown("counters", of.per);
  });

const Deadlines = z.strictObject({
  /** Draw and move the canary, or fail. */
  draw: DurationMs,
  /** Enough canaries report the release, or roll back. */
  deploy: DurationMs,
  /** A person promotes, or roll back. */
  approval: DurationMs,
  /** A held rollout is resumed, or rolled back. */
  hold: DurationMs,
  /** A person decides what the judge could not, or roll back. */
  decide: DurationMs,
  /** Enough of a wave report the release, or roll back. */
  wave: DurationMs,
  /** Every device reports the release; then those that do not are named. */
  verify: DurationMs,
  /** Every device reports the last good release; then those that do not are named, and the rollout failed. */
  rollback: DurationMs,
});

const TargetPolicy = z
  .strictObject({
    judgedBy: JudgePolicy.shape.judgedBy,
    metrics: z.union([z.literal("all"), z.array(z.string()).min(1)]),
    canaryDevices: z.int().positive(),
    /** Never more devices than this on a version that nobody has judged. */
    unjudgedDevicesMax: z.int().positive(),
    /** Share of the devices beside the canary that have the release after each wave. */
    waves: z.array(z.number().gt(0).max(1)).min(1).max(20),
    /** Quiet time that evidence must reach back before the draw. */
    prePeriod: DurationMs,
    soak: DurationMs,
    /** When a judgement that is still open becomes inconclusive. */
    horizon: DurationMs,
    lookEvery: DurationMs,
    /** How often to ask which devices have arrived. */
    pulseEvery: DurationMs,
    waveSoak: DurationMs,
    /** Where two people let a release through unjudged: how long its canary and its waves soak. */
    emergency: z.strictObject({ soak: DurationMs.default(0), waveSoak: DurationMs }).optional(),
    /** Share of those asked that must report before a deadline for the rollout to go on without the rest. */
    arrivedShareMin: z.number().gt(0).max(1),
    alpha: JudgePolicy.shape.alpha,
    alphaPromote: JudgePolicy.shape.alphaPromote,
    draws: JudgePolicy.shape.draws,
    coverageMin: JudgePolicy.shape.coverageMin,
    guard: JudgePolicy.shape.guard,
    unchangedPromotedMin: z.number().min(0).max(1).default(0),
    deadlines: Deadlines,
  })
  .superRefine((target, context) => {
    const refuse = (holds: boolean, sentence: string) => {
      if (!holds) context.addIssue(sentence);
    };
    const { waves } = target;
    refuse(
      target.canaryDevices <= target.unjudgedDevicesMax,
      `canaryDevices (${target.canaryDevices}) is more than unjudgedDevicesMax (${target.unjudgedDevicesMax})`,
    );
    refuse(
      target.soak > 0 && target.soak <= target.horizon,
      "the soak must end by the horizon, and not be empty",
    );
    refuse(target.lookEvery > 0 && target.lookEvery <= target.soak, "there must be a look within the soak");
    refuse(
      (target.emergency?.soak ?? 0) <= target.soak && (target.emergency?.waveSoak ?? 0) <= target.waveSoak,
      "an emergency must not soak for longer than any other release",
    );
    refuse(target.pulseEvery > 0, "pulseEvery must not be zero");
    refuse(
      target.pulseEvery <= Math.min(target.deadlines.wave, target.deadlines.verify),
      "waves are watched once a pulseEvery, which must not be longer than the deadlines of a wave and of verification",
    );
    refuse(target.deadlines.deploy <= target.horizon, "the deadline to deploy must be before the horizon");
    refuse(
      waves.every((share, index) => share > (waves[index - 1] ?? 0)) && waves.at(-1) === 1,
      `waves ${waves.join(", ")} must rise and end with 1`,
    );
    refuse(
      Object.values(target.deadlines).every((deadline) => deadline > 0),
      "a deadline of zero has passed before it begins",
    );
    refuse(
      target.judgedBy === "limits" || Math.floor(target.alpha * (target.draws + 1) + 1e-9) >= 1,
      `${target.draws} draws are too few to ever spend alpha = ${target.alpha}: at least ${Math.ceil(1 / target.alpha) - 1} are needed`,
    );
  });
export type TargetPolicy = z.infer<typeof TargetPolicy>;

export const Policy = z
  .strictObject({
    version: z.literal(1),
    metrics: z.array(PolicyMetric).min(1),
    targets: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/), TargetPolicy),
  })
  .superRefine((policy, context) => {
    const names = policy.metrics.map(({ name }) => name);
    if (new Set(names).size !== names.length) context.addIssue("two metrics have one name");
    for (const [name, target] of Object.entries(policy.targets)) {
      const refuse = (sentence: string) => context.addIssue(`target ${name}: ${sentence}`);
      const unknown =
        target.metrics === "all" ? [] : target.metrics.filter((metric) => !names.includes(metric));
      if (unknown.length > 0) refuse(`unknown metric ${unknown.join(", ")}; there are ${names.join(", ")}`);
      const own = policy.metrics.filter(
        (metric) => target.metrics === "all" || target.metrics.includes(metric.name),
      );
      if (target.judgedBy === "limits" && own.every(({ limit }) => limit === undefined))
        refuse("is judged by limits, but none of its metrics has one");
      if (target.judgedBy === "comparison" && own.every(({ margin }) => margin === undefined))
        refuse("none of its metrics has a margin, so nothing could ever be promoted");
    }
  });
export type Policy = z.infer<typeof Policy>;

export class PolicyError extends CoalmineError {
  readonly code = "ERR_POLICY";
}

/** Reads `policy.yaml`; throws `PolicyError` with every fault it finds. */
export function parsePolicy(text: string): Policy {
  let json: unknown;
  try {
    json = parse(text);
  } catch (failure) {
    throw new PolicyError("the policy is not YAML", { cause: failure });
  }
  const result = Policy.safeParse(json);
  if (result.success) return result.data;
  throw new PolicyError(`the policy cannot work:\n${z.prettifyError(result.error)}`);
}

/** The target's policy, by name. */
export function targetPolicy(policy: Policy, target: string): TargetPolicy {
  const own = policy.targets[target];
  if (own === undefined)
    throw new PolicyError(
      `the policy has no target "${target}"; it has ${Object.keys(policy.targets).join(", ")}`,
    );
  return own;
}

/** What the judge is told for a target. */
export function judging(policy: Policy, target: string): { policy: JudgePolicy; metrics: Metric[] } {
  const own = targetPolicy(policy, target);
  const { judgedBy, alpha, alphaPromote, draws, coverageMin, guard, soak, horizon } = own;
  return {
    policy: { judgedBy, alpha, alphaPromote, draws, coverageMin, guard, soakMs: soak, horizonMs: horizon },
    metrics: metricsOf(policy, own).map(({ of, ...metric }) => ({ ...metric, kind: kindOf(of) })),
  };
}

/** The metrics of a target with where their pairs come from. */
export function metricsOf(policy: Policy, target: TargetPolicy): Policy["metrics"] {
  return policy.metrics.filter(({ name }) => target.metrics === "all" || target.metrics.includes(name));
}

function kindOf(source: MetricSource): Metric["kind"] {
  return source === "heartbeats" ? "liveness" : "sum" in source ? "mean" : "ratio";
}
