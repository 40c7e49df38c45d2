import * as z from "zod";
import { ActionKey, Age, Reason } from "./asking.ts";

export const Alarm = z.object({
  /** Of this occurrence: the same alarm another time is another one. */
  alarm: z.string(),
  /** Of what it comes from: the same for each occurrence, and what is silenced. */
  source: z.string(),
  kind: z.enum(["cloudwatch", "stuckRollout", "rolloutWaits", "claimRefused"]),
  fleet: z.string().optional(),
  /** Since when it is so. */
  sinceMs: z.number(),
  seen: Age,
  sentence: z.string(),
  next: z.string(),
  /** A page of the console that shows the evidence. */
  link: z.string(),
  acknowledged: z.object({ who: z.string(), atMs: z.number(), reason: z.string() }).optional(),
  /** Until `untilMs`, on the clock of the server, it calls for nobody; missing once that is over. */
  silenced: z
    .object({ who: z.string(), atMs: z.number(), reason: z.string(), untilMs: z.number() })
    .optional(),
});
export type Alarm = z.infer<typeof Alarm>;

/** What is neither acknowledged nor silenced first, and counted; then newest first. */
export const Alarms = z.object({ alarms: z.array(Alarm).readonly(), unacknowledged: z.int() });
export type Alarms = z.infer<typeof Alarms>;

export const AcknowledgeBody = z.strictObject({ reason: Reason, key: ActionKey });
export type AcknowledgeBody = z.infer<typeof AcknowledgeBody>;

const SILENCE_MS_MAX = 7 * 24 * 3_600_000;

/** The alarm's source calls for nobody for so long, however often it comes; a later one takes the place of an earlier. */
export const SilenceBody = z.strictObject({
  reason: Reason,
  key: ActionKey,
  forMs: z.int().min(60_000).max(SILENCE_MS_MAX),
});
export type SilenceBody = z.infer<typeof SilenceBody>;
