import * as z from "zod";

export const RehearsalSummary = z.object({
  /** The commit that was rehearsed. */
  commit: z.string(),
  atMs: z.number(),
  passed: z.boolean(),
  verdict: z.string(),
});
export type RehearsalSummary = z.infer<typeof RehearsalSummary>;

export const Rehearsals = z.object({ rehearsals: z.array(RehearsalSummary).readonly() });
export type Rehearsals = z.infer<typeof Rehearsals>;

export const RehearsalReport = RehearsalSummary.extend({
  seconds: z.number(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), found: z.string() })).readonly(),
});
export type RehearsalReport = z.infer<typeof RehearsalReport>;
