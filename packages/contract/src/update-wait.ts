import * as z from "zod";

/** What keeps a device from its update: its work, and since when; times are on its fleet's clock. */
export const UpdateWait = z.object({
  for: z.enum(["sample"]),
  /** When that work began. */
  sinceMs: z.number(),
  /** When the update came. */
  updateSinceMs: z.number(),
});
export type UpdateWait = z.infer<typeof UpdateWait>;
