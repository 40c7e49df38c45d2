import * as z from "zod";

/** A component of the account in one target's region: its newest version. */
export const PublishedComponent = z.object({
  fleet: z.string(),
  region: z.string(),
  component: z.string(),
  version: z.string(),
  /** `DEPLOYABLE`, or why it cannot be deployed. */
  state: z.string(),
  message: z.string().optional(),
});
export type PublishedComponent = z.infer<typeof PublishedComponent>;

/** In the order of fleet and name. */
export const Components = z.object({ components: z.array(PublishedComponent).readonly() });
export type Components = z.infer<typeof Components>;
