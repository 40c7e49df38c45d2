import * as z from "zod";

/** What log-manager publishes on `topics.logs` where it is told to: new events, redacted, as they are read. */
export const LocalLogEvents = z.object({
  version: z.literal(1),
  component: z.string(),
  events: z.array(z.object({ timestampMs: z.number(), level: z.string().optional(), message: z.string() })),
  /** Events since the last message that were left out, because there were too many. */
  dropped: z.int().nonnegative(),
});
export type LocalLogEvents = z.infer<typeof LocalLogEvents>;
