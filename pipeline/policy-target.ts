import * as z from "zod";
import { JudgePolicy } from "./judge/bundle.ts";
import { MaintenanceWindow } from "./rollout/windows.ts";

const UNITS_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "30 s", "5 min", "12 h", "7 d" → milliseconds. */
export const DurationMs = z
  .string()
  .regex(/^\d+(\.\d+)? (ms|s|min|h|d)$/, "a duration is a number, a blank and one of ms, s, min, h, d")
  .transform((text) => {
    const [amount = "0", unit = "ms"] = text.split(" ");
    const unitMs = Object.entries(UNITS_MS).find(([name]) => name === unit)?.[1] ?? 1;
    return Number(amount) * unitMs;
  })
  .meta({ range: "duration" });

/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_AttributePayload.html */
const Attribute = z
  .string()
  .regex(/^[a-zA-Z0-9_.,@/:#-]{1,128}$/)
  .meta({ range: "name of an attribute" });

const PowerTarget = z.strictObject({
  power: z.number().min(0.5).lt(1).describe("Chance that it is found within the soak."),
  ratio: z.number().gt(1).finite().describe("Harm of this size, as a ratio to the baseline."),
  metrics: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("In each of these metrics; in every halting one where none is named."),
});

const Deadlines = z.strictObject({
  draw: DurationMs.describe("Draw and move the canary, or fail."),
  deploy: DurationMs.describe("Enough canaries report the release, or roll back."),
  approval: DurationMs.describe("A person promotes, or roll back."),
  hold: DurationMs.describe("A held rollout is resumed, or rolled back."),
  decide: DurationMs.describe("A person decides what the judge could not, or roll back."),
  wave: DurationMs.describe("Enough of a wave report the release, or roll back."),
  verify: DurationMs.describe("Every device reports the release; then those that do not are named."),
  rollback: DurationMs.describe(
    "Every device reports the last good release; then those that do not are named, and the rollout failed.",
  ),
});

export const TargetPolicy = z
  .strictObject({
    judgedBy: JudgePolicy.shape.judgedBy,
    metrics: z
      .union([z.literal("all"), z.array(z.string()).min(1)])
      .describe("Which of the metrics above, by name."),
    canaryDevices: z
      .union([z.int().positive(), PowerTarget])
      .describe(
        "Devices that are drawn: a number, or what they have to find, from which the fewest follow by the fleet's history when the rollout is planned.",
      ),
    strata: z
      .array(Attribute)
      .min(1)
      .max(5)
      .optional()
      .describe(
        "Attributes of a thing that make its stratum together; devices are drawn in proportion within each. Without them its attribute `stratum`, or else its platform.",
      ),
    cluster: Attribute.optional().describe(
      "The attribute of a thing that names its cluster, whose devices influence each other and are drawn as one. Without it `cluster`, or else `site`. A thing that has none is a cluster of its own.",
    ),
    unjudgedDevicesMax: z
      .int()
      .positive()
      .describe("Never more devices than this on a version that nobody has judged."),
    waves: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .max(20)
      .describe("Share of the devices beside the canary that have the release after each wave."),
    windows: z
      .array(MaintenanceWindow)
      .min(1)
      .max(20)
      .optional()
      .describe(
        "Outside of them no canary and no wave begins; what has begun goes on, and a rollback waits for none. Always open where they are left out.",
      ),
    prePeriod: DurationMs.describe("Quiet time that evidence must reach back before the draw."),
    soak: DurationMs.describe("No promotion before this much time since the assignment."),
    horizon: DurationMs.describe("When a judgement that is still open becomes inconclusive."),
    lookEvery: DurationMs.describe("How often the judge looks."),
    pulseEvery: DurationMs.describe("How often to ask which devices have arrived."),
    waveSoak: DurationMs.describe("How long a wave that has arrived runs before the next one."),
    emergency: z
      .strictObject({
        soak: DurationMs.default(0).describe("Of the canary, before the first wave."),
        waveSoak: DurationMs.describe("Of each wave."),
      })
      .optional()
      .describe("Where two people let a release through unjudged: how long it soaks all the same."),
    arrivedShareMin: z
      .number()
      .gt(0)
      .max(1)
      .describe(
        "Share of those asked that must report before a deadline for the rollout to go on without the rest.",
      ),
    alpha: JudgePolicy.shape.alpha,
    alphaPromote: JudgePolicy.shape.alphaPromote,
    draws: JudgePolicy.shape.draws,
    coverageMin: JudgePolicy.shape.coverageMin,
    guard: JudgePolicy.shape.guard,
    unchangedPromotedMin: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        "The plan refuses a policy that promotes a release which changes nothing less often than this.",
      ),
    deadlines: Deadlines.describe("Every wait has one, and something happens at it."),
  })
  .superRefine((target, context) => {
    const refuse = (holds: boolean, sentence: string) => {
      if (!holds) context.addIssue(sentence);
    };
    const { waves } = target;
    const { canaryDevices } = target;
    if (typeof canaryDevices === "number")
      refuse(
        canaryDevices <= target.unjudgedDevicesMax,
        `canaryDevices (${canaryDevices}) is more than unjudgedDevicesMax (${target.unjudgedDevicesMax})`,
      );
    else
      refuse(
        target.judgedBy === "comparison",
        "power is of a comparison: a target that is judged by limits needs a number for canaryDevices",
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
