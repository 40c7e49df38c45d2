import * as z from "zod";
import { UpdateWait } from "../update-wait.ts";
import { ActionKey, Age, Reason } from "./asking.ts";

const verdict = z.enum(["PROMOTE", "HALT", "WAIT", "INCONCLUSIVE"]);

export const decisions = ["promote", "hold", "resume", "rollback"] as const;
export const Decision = z.enum(decisions);
export type Decision = z.infer<typeof Decision>;

export const RolloutSummary = z.object({
  rollout: z.string(),
  commit: z.string(),
  startedMs: z.number(),
  phase: z.string(),
  outcome: z.string().optional(),
  because: z.string().optional(),
});
export type RolloutSummary = z.infer<typeof RolloutSummary>;

const Deadline = z.object({ name: z.string(), atMs: z.number(), inMs: z.number(), afterwards: z.string() });

const StuckDevice = z.object({
  thing: z.string(),
  stage: z.string(),
  ageMs: z.number(),
  waits: UpdateWait.optional(),
  next: z.string(),
});

const ShownTarget = z.object({
  target: z.string(),
  nowMs: z.number(),
  /** When the present phase began here. */
  sinceMs: z.number(),
  devices: z.object({ all: z.int(), canary: z.int(), exposed: z.int() }),
  byVersion: z.record(z.string(), z.int()),
  deadline: Deadline.optional(),
  begins: z
    .object({ atMs: z.number(), inMs: z.number(), waitsFor: z.enum(["prePeriod", "window"]) })
    .optional(),
  groups: z.array(z.string()).readonly(),
  stuck: z.object({ things: z.array(z.string()).readonly(), ageMs: z.number() }).optional(),
  verdict: z.object({ verdict, because: z.string(), elapsedMs: z.number() }).optional(),
  watch: z.object({ verdict: z.string(), because: z.string(), atMs: z.number() }).optional(),
  progress: z
    .object({
      devices: z.record(z.string(), z.int()),
      stuck: z.array(StuckDevice).readonly(),
      newcomers: z.array(z.object({ thing: z.string(), group: z.string(), set: z.string() })).readonly(),
    })
    .optional(),
});

export const ShownRollout = RolloutSummary.extend({
  /** Of what was decided and seen so far. A decision names the one that it was made on. */
  state: z.string(),
  ageMs: z.number(),
  promotedBy: z.string().optional(),
  targets: z.array(ShownTarget).readonly(),
  outstanding: z.array(z.string()).readonly(),
  overrides: z.array(z.object({ stage: z.string(), who: z.string(), why: z.string() })).readonly(),
  /** What makes sense next. */
  next: z.string(),
  /** Why it is where it is, a sentence each. */
  why: z.array(z.string()),
});

/** A stage of the bar, in the order in which they come. */
export const Stage = z.object({
  stage: z.enum(["planned", "canary", "soak", "promotion", "wave", "verify"]),
  /** Of a wave: its number from 1, and the share of the devices beside the canary that have it afterwards. */
  wave: z.object({ number: z.int(), share: z.number() }).optional(),
  /** `ended` is one that the rollout did not get past, or never came to. */
  state: z.enum(["done", "now", "held", "next", "ended"]),
  targets: z
    .array(
      z.object({
        target: z.string(),
        /** Devices of this stage, and those of them that report the candidate. */
        devices: z.int(),
        arrived: z.int(),
        deadline: Deadline.optional(),
        /** 0 to 1, of the time or of the devices, whichever the stage waits for. */
        progress: z.number(),
        stuck: z.array(StuckDevice).readonly(),
      }),
    )
    .readonly(),
});
export type Stage = z.infer<typeof Stage>;

export const DeploymentDiff = z.object({
  added: z.array(z.object({ name: z.string(), to: z.string() })).readonly(),
  changed: z.array(z.object({ name: z.string(), from: z.string(), to: z.string() })).readonly(),
  reconfigured: z.array(z.string()).readonly(),
  removed: z.array(z.string()).readonly(),
  unchanged: z.array(z.string()).readonly(),
});
export type DeploymentDiff = z.infer<typeof DeploymentDiff>;

/** What one decision would do now. */
export const Choice = z.object({
  decision: Decision,
  /** Missing where it can be made. */
  refusedBecause: z.string().optional(),
  /** Devices that get another revision by it. */
  reach: z.int(),
  targets: z
    .array(z.object({ target: z.string(), reach: z.int(), of: z.int(), diff: DeploymentDiff }))
    .readonly(),
  /** What happens then, in a sentence. */
  afterwards: z.string(),
});
export type Choice = z.infer<typeof Choice>;

export const RolloutPage = ShownRollout.extend({
  headline: z.string(),
  /** Target → of the newest evidence there. Where any is stale, promotion is refused. */
  seen: z.record(z.string(), Age),
  stages: z.array(Stage).readonly(),
  choices: z.array(Choice).readonly(),
});
export type RolloutPage = z.infer<typeof RolloutPage>;

/** What an arm showed between two looks; `low` and `high` end its 95 % interval, null with fewer than two devices. */
export const Level = z.object({
  level: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Devices that said something in between. */
  devices: z.int(),
});
export type Level = z.infer<typeof Level>;

export const MetricSeries = z.object({
  metric: z.string(),
  kind: z.enum(["ratio", "mean", "liveness"]),
  direction: z.enum(["up", "down", "either"]),
  role: z.enum(["halting", "advisory"]),
  /** Level of the canary that halts by itself. */
  limit: z.object({ above: z.number().optional(), below: z.number().optional() }).optional(),
  /** Ratios to the baseline: so much is worth a halt, so little has to be proven. */
  minEffect: z.number(),
  margin: z.number().optional(),
  /** What the latest look says of it. */
  sentence: z.string(),
  status: z.enum(["fine", "harm", "notEnough"]),
  p: z.number().nullable(),
  ratio: z.number().nullable(),
  ratioLow: z.number().nullable(),
  ratioHigh: z.number().nullable(),
  /** Null is a gap: nothing came of that arm since the look before. */
  looks: z
    .array(z.object({ atMs: z.number(), canary: Level.nullable(), baseline: Level.nullable() }))
    .readonly(),
});
export type MetricSeries = z.infer<typeof MetricSeries>;

export const RolloutMetrics = z.object({
  rollout: z.string(),
  targets: z
    .array(
      z.object({
        target: z.string(),
        seen: Age,
        judgedBy: z.enum(["comparison", "limits"]),
        arms: z.object({ canary: z.int(), baseline: z.int() }),
        /** Worst first. */
        metrics: z.array(MetricSeries).readonly(),
      }),
    )
    .readonly(),
});
export type RolloutMetrics = z.infer<typeof RolloutMetrics>;

export const DecisionBody = z.strictObject({
  reason: Reason,
  /** `state` of the rollout as it was shown to who decides. */
  state: z.string().max(100),
  key: ActionKey,
});
export type DecisionBody = z.infer<typeof DecisionBody>;

export const Decided = z.object({
  rollout: z.string(),
  phase: z.string(),
  /** Of its entry in the audit log. */
  sequence: z.int(),
  next: z.string(),
});
export type Decided = z.infer<typeof Decided>;
