import * as z from "zod";

/** The last line of `npm run rollout -- --json`. */
export const RolloutSummary = z.object({
  outcome: z.enum(["promoted", "halted", "inconclusive", "failed"]),
  release: z.string(),
  why: z.string(),
  fleet: z.object({ process: z.int(), hosted: z.int(), canary: z.int() }),
  soakHours: z.number(),
  readings: z.object({ sent: z.int(), rows: z.int(), lost: z.int(), doubled: z.int() }),
  /** Peak sum of proportional set sizes of the whole process tree. */
  memoryMiB: z.number(),
  seconds: z.record(z.string(), z.number()),
});
export type RolloutSummary = z.infer<typeof RolloutSummary>;
