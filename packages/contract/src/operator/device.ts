import * as z from "zod";
import { Age } from "./asking.ts";
import { DeviceRow } from "./fleets.ts";

export const ComponentSeen = z.object({
  component: z.string(),
  version: z.string(),
  /** What its group's revision asks for. */
  asked: z.string().optional(),
  /** As the nucleus reports it: RUNNING, BROKEN, … */
  status: z.string().optional(),
  /** Of what was last heard of it within a heartbeat. */
  seen: Age.optional(),
  startedMs: z.number().optional(),
});

/** A self-test, newest first in a list. */
export const SelfTestRun = z.object({
  atMs: z.number(),
  who: z.string(),
  passed: z.boolean(),
  ports: z.array(z.object({ port: z.string(), passed: z.boolean(), sentence: z.string() })).readonly(),
});

export const DeviceHistoryEntry = z.object({ atMs: z.number(), kind: z.string(), sentence: z.string() });

export const DevicePage = DeviceRow.extend({
  nowMs: z.number(),
  /** As the registry has it; missing where the device is out of the fleet. */
  registered: z
    .object({
      attributes: z.record(z.string(), z.string()),
      groups: z.array(z.string()).readonly(),
      certificates: z.array(z.object({ id: z.string(), status: z.string() })).readonly(),
    })
    .optional(),
  nucleus: z
    .object({ version: z.string(), platform: z.string(), architecture: z.string(), status: z.string() })
    .optional(),
  components: z.array(ComponentSeen).readonly(),
  connection: z.object({ connected: z.boolean(), seen: Age }).optional(),
  job: z.object({ status: z.string(), seen: Age }).optional(),
  selfTests: z.array(SelfTestRun).readonly(),
  /** Oldest first. */
  history: z.array(DeviceHistoryEntry).readonly(),
  /** Path of the latest commissioning report, as JSON. */
  commissioningRecord: z.string().optional(),
  /** The rollout that it takes part in. */
  rollout: z.string().optional(),
});
export type DevicePage = z.infer<typeof DevicePage>;

/** A line of a device's logs; its `cursor` names it, for a link, and for the lines before it. */
export const LogLine = z.object({
  cursor: z.string(),
  atMs: z.number(),
  component: z.string(),
  level: z.string().optional(),
  message: z.string(),
});
export type LogLine = z.infer<typeof LogLine>;

export const LogsQuery = z.strictObject({
  /** All of the suite where none is named. */
  component: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  /** The lines before this cursor. */
  before: z.string().max(200).optional(),
  /** No line that is older, in ms since 1970; without it a week back. */
  since: z.coerce.number().int().nonnegative().optional(),
  /** In the message. */
  text: z.string().max(100).optional(),
});
export type LogsQuery = z.infer<typeof LogsQuery>;

/** Oldest first. `cursor` is a place: follow from it with the device's log events. */
export const LogPage = z.object({
  lines: z.array(LogLine).readonly(),
  cursor: z.string(),
  /** Older lines are there. */
  earlier: z.boolean(),
});
export type LogPage = z.infer<typeof LogPage>;
