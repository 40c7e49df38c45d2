import * as z from "zod";

/**
 * All that a verdict is made from, and nothing else: keep it, and the verdict can be computed again, byte for byte.
 * `docs/judge-bundle.md` is written from these schemas. What no schema can say is in `bundle-faults.ts`.
 */

const Ratio = z.number().gt(1).finite();

export const Metric = z.strictObject({
  name: z.string().min(1).max(200).describe("Under this name its values stand in `before` and `looks`."),
  kind: z
    .enum(["ratio", "mean", "liveness"])
    .describe(
      "What a pair is. `ratio`: `[events, exposure]`, such as failed windows of all windows. `mean`: `[sum, count]` of observations that are not negative, such as milliseconds of a model run. `liveness`: `[heard, expected]` heartbeats; compared is the share that was not heard.",
    ),
  direction: z
    .enum(["up", "down", "either"])
    .describe(
      "Where harm lies: more than the baseline, less, or any difference. Liveness is harmed by more silence, whatever stands here.",
    ),
  role: z
    .enum(["halting", "advisory"])
    .describe("Only a halting metric can halt. Liveness can, whatever stands here."),
  minEffect: Ratio.default(1.1).describe(
    "The smallest ratio to the baseline, in the harmful direction, that is worth a halt.",
  ),
  margin: Ratio.optional().describe(
    "Makes it a guarded metric: PROMOTE needs proof that harm is smaller than this ratio.",
  ),
  negligible: z
    .number()
    .nonnegative()
    .finite()
    .default(0)
    .describe(
      "A level, in the metric's own unit, below which differences do not matter. It is added to both sides of a ratio, so that one event against none is not infinitely worse, and it makes zero events evidence.",
    ),
  limit: z
    .strictObject({
      above: z.number().finite().optional().describe("More than this halts."),
      below: z.number().finite().optional().describe("Less than this halts."),
      exposureMin: z
        .number()
        .positive()
        .finite()
        .default(20)
        .describe("So much of the denominator has to be seen first."),
    })
    .optional()
    .describe("Levels of the canary as a whole that halt by themselves, without a baseline."),
});
export type Metric = z.infer<typeof Metric>;

export const JudgePolicy = z.strictObject({
  judgedBy: z
    .enum(["comparison", "limits"])
    .describe(
      "`limits` is for fleets too small to compare: the catastrophe guard and the absolute limits alone decide.",
    ),
  alpha: z
    .number()
    .positive()
    .max(0.5)
    .default(0.01)
    .describe(
      "Chance that an unchanged release is ever halted by comparison, over all metrics and looks together.",
    ),
  alphaPromote: z
    .number()
    .positive()
    .max(0.5)
    .default(0.05)
    .describe("Chance that a release exactly at a metric's margin is cleared of it."),
  draws: z.int().min(99).max(99_999).default(1999).describe("Re-draws beside the real draw."),
  soakMs: z.number().positive().finite().describe("No promotion before this much time since the assignment."),
  horizonMs: z
    .number()
    .positive()
    .finite()
    .describe("When alpha is spent in full; from here on what is not decided is INCONCLUSIVE."),
  coverageMin: z
    .number()
    .gt(0)
    .max(1)
    .default(0.8)
    .describe("Share of either arm that must have fresh data of a metric before it can be cleared."),
  guard: z
    .strictObject({
      toleratedRate: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.01)
        .describe("Share of updated devices whose failure is tolerated."),
      eValueMin: z
        .number()
        .gt(1)
        .default(1000)
        .describe("It halts at this much evidence: one in so many unchanged releases at most."),
    })
    .describe("The catastrophe guard, which needs no baseline."),
});
export type JudgePolicy = z.infer<typeof JudgePolicy>;

export const Pair = z.tuple([z.number(), z.number()]).nullable();
export type Pair = z.infer<typeof Pair>;

const Values = z.record(z.string(), z.array(Pair));

export const Look = z.strictObject({
  elapsedMs: z.number().nonnegative().finite().describe("Since the assignment of the canary; rises."),
  values: Values.describe(
    "Metric → one pair a device, in the order of `devices`: totals since the assignment, so they never fall. null where nothing is known.",
  ),
  updated: z.array(z.string()).describe("Canary devices that were given the release by now."),
  failing: z
    .array(
      z.strictObject({
        thing: z.string().describe("Its name."),
        how: z.enum(["crashLoop", "unhealthy", "silent"]).describe("What is wrong with it."),
      }),
    )
    .describe(
      "Devices of either arm that fail outright: crash loops, failed health, silence while connected.",
    ),
});
export type Look = z.infer<typeof Look>;

export const Device = z.strictObject({
  thing: z.string().min(1).describe("Its name, which no other has."),
  stratum: z
    .string()
    .describe("Devices are drawn within a stratum: model, region, nucleus version, connectivity."),
  cluster: z
    .string()
    .describe(
      "Devices that influence each other are drawn together: a site, a gateway. The device's own name where there is none.",
    ),
});
export type Device = z.infer<typeof Device>;

const seed = z.string().min(1);
const canary = z.array(z.string()).describe("Names of the devices that got the release.");

export const Draw = z.discriminatedUnion("how", [
  z.strictObject({
    how: z.literal("drawn").describe("Chance chose the canary."),
    seed: seed.describe("Makes the draw and the re-draws."),
    canary,
    asked: z
      .int()
      .positive()
      .optional()
      .describe("Devices that were asked for, where whole clusters made the canary smaller than that."),
  }),
  z.strictObject({
    how: z.literal("handPicked").describe("A person chose it: the verdict is advice, and promotes nothing."),
    seed: seed.describe("Makes the re-draws."),
    canary,
    placebo: z
      .strictObject({
        windows: z.int().nonnegative().describe("How many."),
        halts: z.int().nonnegative().describe("In how many of them it halted."),
      })
      .optional()
      .describe("How often this very rule halted over past windows in which nothing was updated."),
  }),
]);
export type Draw = z.infer<typeof Draw>;

export const Bundle = z.strictObject({
  version: z.literal(1).describe("Of this format."),
  rollout: z.string().describe("What is judged, as people name it."),
  target: z
    .string()
    .describe("The fleet that it is judged on; a policy file with targets is read for this one."),
  devices: z
    .array(Device)
    .describe("Every device that could have been drawn, fixed before the draw; later ones belong to no arm."),
  draw: Draw.describe("Who was chosen, and how."),
  metrics: z.array(Metric).describe("What is compared."),
  policy: JudgePolicy.describe("How, and when it has to be decided."),
  before: Values.describe(
    "As `looks[].values`, of the time before the assignment. A metric that is left out has no past, and is found later.",
  ),
  looks: z
    .array(Look)
    .describe("Every look so far, in order of time: the judge replays them all, and ends at the first halt."),
});
export type Bundle = z.infer<typeof Bundle>;
