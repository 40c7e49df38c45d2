import * as z from "zod";

const Finding = z.object({
  check: z.string(),
  state: z.enum(["ok", "failed", "advised", "not checked"]),
  /** What was found, with its values. */
  sentence: z.string(),
  /** Why it matters. */
  why: z.string().optional(),
  /** What to do; missing where there is nothing. */
  remedy: z.string().optional(),
  kind: z.enum(["permission", "unreachable", "other"]).optional(),
});

export const doctorAnswers = {
  doctor: z.object({ findings: z.array(Finding).readonly() }),
  cost: z.object({
    devices: z.int(),
    /** US dollars a month for all of them. */
    usdMonth: z.number(),
    region: z.string(),
    pricesOf: z.string(),
    lines: z
      .array(
        z.object({
          what: z.string(),
          arithmetic: z.string(),
          usdMonth: z.number(),
          source: z.string(),
        }),
      )
      .readonly(),
  }),
} as const;
