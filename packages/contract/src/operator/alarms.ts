import * as z from "zod";
import { ActionKey, Age, Reason } from "./asking.ts";

export const Alarm = z.object({
  /** Of this occurrence: the same alarm another time is another one. */
  alarm: z.string(),
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
});
export type Alarm = z.infer<typeof Alarm>;

/** Unacknowledged first, then newest first. */
export const Alarms = z.object({ alarms: z.array(Alarm).readonly(), unacknowledged: z.int() });
export type Alarms = z.infer<typeof Alarms>;

export const AcknowledgeBody = z.strictObject({ reason: Reason, key: ActionKey });
export type AcknowledgeBody = z.infer<typeof AcknowledgeBody>;
