import * as z from "zod";

const Cursor = z.object({ name: z.string(), done: z.number() });
const Record = z.object({ sequence: z.number(), timeMs: z.number(), payload: z.base64() });

export const queueAnswers = {
  "queue-list": z
    .array(
      z.object({
        name: z.string(),
        folder: z.string(),
        isInUse: z.boolean(),
        isSound: z.boolean(),
        segments: z.int(),
        sizeBytes: z.int(),
        records: z.int(),
        missing: z.int(),
        first: z.number().optional(),
        last: z.number().optional(),
        oldestMs: z.number().optional(),
        cursors: z.array(Cursor).readonly(),
        quarantined: z.int(),
      }),
    )
    .readonly(),
  "queue-verify": z.object({
    name: z.string(),
    folder: z.string(),
    /** Processes that have it open. */
    users: z.array(z.int()).readonly(),
    isSound: z.boolean(),
    problems: z.array(z.string()).readonly(),
    epoch: z.string().optional(),
    bytes: z.int(),
    records: z.int(),
    missing: z.int(),
    segments: z.array(z.object({ first: z.number(), last: z.number(), records: z.int() })).readonly(),
    cursors: z.array(Cursor).readonly(),
    quarantined: z.array(z.string()).readonly(),
  }),
  "queue-repair": z.object({
    queue: z.string(),
    folder: z.string(),
    repaired: z
      .array(z.object({ segment: z.number(), records: z.int(), problem: z.string().optional() }))
      .readonly(),
  }),
  "queue-export": Record,
  "queue-tail": z.array(Record).readonly(),
} as const;
