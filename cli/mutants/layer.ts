import * as z from "zod";

/** Where a bad release can be stopped before the main fleet, in the order in which it comes there. */
export const layers = ["check", "hosted", "weighed", "canary"] as const;
export const LayerName = z.enum(layers);
export type LayerName = z.infer<typeof LayerName>;

/** What one layer made of one release. */
export const Outcome = z.object({
  /** What stopped it: the first check that failed, by name; null where nothing did. */
  by: z.string().nullable(),
  /** What was found, in a sentence. */
  found: z.string(),
  /** On the wall. */
  seconds: z.number(),
  /** On the devices' clock, where they have one. */
  hours: z.number().optional(),
  /** That it met, where they are a number that may be chosen. */
  devices: z.number().optional(),
});
export type Outcome = z.infer<typeof Outcome>;

export const Caught = z.record(z.string(), z.partialRecord(LayerName, Outcome));
/** By the release's name. */
export type Caught = z.infer<typeof Caught>;
