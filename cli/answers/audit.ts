import * as z from "zod";

const Finding = z.union([
  z.object({
    rollout: z.string(),
    ok: z.literal(true),
    entries: z.int(),
    /** Hash of the last entry. */
    head: z.string(),
  }),
  z.object({
    rollout: z.string(),
    ok: z.literal(false),
    /** The entry that is missing, or is not what was written. */
    sequence: z.int(),
    because: z.string(),
  }),
]);

export const auditAnswers = {
  "audit-verify": Finding,
  "audit-list": z.array(Finding).readonly(),
} as const;
