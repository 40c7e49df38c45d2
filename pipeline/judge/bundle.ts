import * as z from "zod";

/**
 * All that a verdict is made from, and nothing else: keep it, and the verdict can be computed again, byte for byte.
 * A device's outcome is a pair `[numerator, denominator]`, whatever the metric's kind, or null where nothing is known.
 * Pairs of a look are cumulative since the canary's assignment; pairs of the pre-period are totals before it.
 */

const Ratio = z.number().gt(1).finite();

export const Metric = z.object({
  name: z.string().min(1).max(200),
  /**
   * - `ratio`: `[events, exposure]`, e.g. failed windows of all windows, or readings of expected heartbeats.
   * - `mean`: `[sum, count]` of observations that are not negative, e.g. milliseconds of a model run.
   * - `liveness`: `[heard, expected]` heartbeats. What is compared is the share that was not heard.
   */
  kind: z.enum(["ratio", "mean", "liveness"]),
  /** Where harm lies: more than the baseline, less, or any difference. Liveness is always harmed by more silence. */
  direction: z.enum(["up", "down", "either"]),
  /** Only a halting metric can halt. Liveness halts whatever stands here. */
  role: z.enum(["halting", "advisory"]),
  /** The smallest ratio to the baseline, in the harmful direction, that is worth a halt. */
  minEffect: Ratio.default(1.1),
  /** A guarded metric has a margin: promoting needs proof that harm is smaller than this ratio. */
  margin: Ratio.optional(),
  /**
   * A level, in the metric's own unit, below which differences do not matter. It is added to both sides of a ratio,
   * so that one event against none is not infinitely worse, and it is what makes zero events evidence.
   */
  negligible: z.number().nonnegative().finite().default(0),
  /** Levels of the canary as a whole that halt by themselves, once it has seen `exposureMin` of the denominator. */
  limit: z
    .object({
      above: z.number().finite().optional(),
      below: z.number().finite().optional(),
      exposureMin: z.number().positive().finite().default(20),
    })
    .optional(),
});
export type Metric = z.infer<typeof Metric>;

export const JudgePolicy = z.object({
  /** `limits` is for fleets too small to compare: the catastrophe guard and the absolute limits alone decide. */
  judgedBy: z.enum(["comparison", "limits"]),
  /** Chance that an unchanged release is ever halted by comparison, over all metrics and looks together. */
  alpha: z.number().positive().max(0.5).default(0.01),
  /** Chance that a release exactly at a metric's margin is cleared of it. */
  alphaPromote: z.number().positive().max(0.5).default(0.05),
  /** Re-draws beside the real draw. */
  draws: z.int().min(99).max(99_999).default(1999),
  /** No promotion before this much time since assignment. */
  soakMs: z.number().positive().finite(),
  /** When alpha is spent in full; from here on what is not decided is INCONCLUSIVE. */
  horizonMs: z.number().positive().finite(),
  /** Share of the canary that must have fresh data for a metric before it can be cleared. */
  coverageMin: z.number().gt(0).max(1).default(0.8),
  guard: z.object({
    /** Share of updated devices whose failure is tolerated. */
    toleratedRate: z.number().gt(0).lt(1).default(0.01),
    /** The guard halts at this much evidence: one in so many unchanged releases at most. */
    eValueMin: z.number().gt(1).default(1000),
  }),
});
export type JudgePolicy = z.infer<typeof JudgePolicy>;

export const Pair = z.tuple([z.number(), z.number()]).nullable();
export type Pair = z.infer<typeof Pair>;

const Values = z.record(z.string(), z.array(Pair));

export const Look = z.object({
  /** Since the assignment of the canary, on the target's clock. */
  elapsedMs: z.number().nonnegative().finite(),
  /** Metric name → one pair a device, in the order of `devices`. */
  values: Values,
  /** Canary devices that were given the release by now. */
  updated: z.array(z.string()),
  /** Devices of either arm that fail outright: crash loops, failed health, silence while connected. */
  failing: z.array(z.object({ thing: z.string(), how: z.enum(["crashLoop", "unhealthy", "silent"]) })),
});
export type Look = z.infer<typeof Look>;

export const Device = z.object({
  thing: z.string().min(1),
  /** Devices are drawn within a stratum: model, region, nucleus version, connectivity. */
  stratum: z.string(),
  /** Devices that influence each other are drawn together: a site, a gateway. */
  cluster: z.string(),
});
export type Device = z.infer<typeof Device>;

export const Draw = z.discriminatedUnion("how", [
  z.object({ how: z.literal("drawn"), seed: z.string().min(1), canary: z.array(z.string()) }),
  z.object({
    how: z.literal("handPicked"),
    /** Seeds the re-draws; the canary itself was chosen by a person. */
    seed: z.string().min(1),
    canary: z.array(z.string()),
    /** How often this very rule halted over past windows in which nothing was updated. */
    placebo: z.object({ windows: z.int().nonnegative(), halts: z.int().nonnegative() }).optional(),
  }),
]);
export type Draw = z.infer<typeof Draw>;

export const Bundle = z.object({
  version: z.literal(1),
  rollout: z.string(),
  target: z.string(),
  devices: z.array(Device),
  draw: Draw,
  metrics: z.array(Metric),
  policy: JudgePolicy,
  /** Totals of the pre-period, as in `Look.values`. */
  before: Values,
  /** Every look so far, in order of time: the judge replays them all. */
  looks: z.array(Look),
});
export type Bundle = z.infer<typeof Bundle>;
