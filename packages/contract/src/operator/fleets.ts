import * as z from "zod";
import { UpdateWait } from "../update-wait.ts";
import { Age } from "./asking.ts";

/** How a device is, worst last. `unseen` has not said anything since its evidence is kept. */
export const deviceStates = ["well", "updating", "offline", "silent", "failing", "unseen"] as const;
export const DeviceState = z.enum(deviceStates);
export type DeviceState = z.infer<typeof DeviceState>;

const counts = z.record(DeviceState, z.int());

export const cohorts = ["canary", "main"] as const;
export const Cohort = z.enum(cohorts);
export type Cohort = z.infer<typeof Cohort>;

/** Component → version. */
export const Versions = z.record(z.string(), z.string());
export type Versions = z.infer<typeof Versions>;

/** One thing group of a fleet, with the revision that is in force for it. */
export const FleetGroup = z.object({
  group: z.string(),
  cohort: Cohort,
  devices: z.int(),
  byState: counts,
  inForce: z
    .object({
      deployment: z.string(),
      revision: z.string(),
      sinceMs: z.number().optional(),
      components: Versions,
    })
    .optional(),
});

/** One line of the matrix component × version × cohort. */
export const InstalledVersion = z.object({
  component: z.string(),
  version: z.string(),
  /** Devices that say they run it. */
  canary: z.int(),
  main: z.int(),
  /** Not what their group's revision asks for. */
  drifted: z.int(),
});

/** A target of rollouts: one region's fleet. */
export const Fleet = z.object({
  fleet: z.string(),
  region: z.string(),
  /** Of the newest evidence of any of its devices. */
  seen: Age.optional(),
  nowMs: z.number(),
  devices: z.int(),
  byState: counts,
  groups: z.array(FleetGroup).readonly(),
  installed: z.array(InstalledVersion).readonly(),
  /** The rollout that is under way here. */
  rollout: z.string().optional(),
});
export type Fleet = z.infer<typeof Fleet>;

export const Fleets = z.object({ fleets: z.array(Fleet).readonly() });
export type Fleets = z.infer<typeof Fleets>;

/** A device in a list: small, since a thousand come in one answer. */
export const DeviceRow = z.object({
  thing: z.string(),
  fleet: z.string(),
  cohort: Cohort,
  state: DeviceState,
  /** Why it is not well, as a word of the catalogue or a component's name. */
  because: z.string().optional(),
  waits: UpdateWait.optional(),
  /** Of the last that was heard of it; without one it is `unseen`. */
  seen: Age.optional(),
  site: z.string().optional(),
  /** Name of its versions in `sets`. */
  set: z.string().optional(),
});
export type DeviceRow = z.infer<typeof DeviceRow>;

export const DevicesQuery = z.strictObject({
  fleet: z.string().optional(),
  cohort: Cohort.optional(),
  state: DeviceState.optional(),
  /** `component` or `component@version`. */
  runs: z.string().max(200).optional(),
  /** In the thing's name or its site. */
  text: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(2000).default(1000),
  /** `next` of the page before. */
  after: z.string().max(200).optional(),
});
export type DevicesQuery = z.infer<typeof DevicesQuery>;

export const Devices = z.object({
  /** In the order of fleet and name. */
  devices: z.array(DeviceRow).readonly(),
  /** Of all pages. */
  total: z.int(),
  sets: z.record(z.string(), Versions),
  next: z.string().optional(),
});
export type Devices = z.infer<typeof Devices>;
