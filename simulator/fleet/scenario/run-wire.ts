import * as z from "zod";

/** What the process of one run says to the one that watches it. */
export const FromRun = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("stands"), atMs: z.number() }),
  z.object({ kind: z.literal("progress"), sentence: z.string() }),
  z.object({
    kind: z.literal("ended"),
    outcome: z.object({
      checks: z.array(z.object({ name: z.string(), ok: z.boolean(), found: z.string() })),
      passed: z.boolean(),
      events: z.number(),
      digest: z.string(),
      /** Of a part alone: the others' belong to the digest too. */
      log: z.array(z.string()).optional(),
      faults: z.array(z.looseObject({ kind: z.string() })),
    }),
  }),
  /** It came to no end, for a reason that names itself. */
  z.object({ kind: z.literal("failed"), code: z.string(), message: z.string() }),
]);
export type FromRun = z.infer<typeof FromRun>;
export type Outcome = Extract<FromRun, { kind: "ended" }>["outcome"];

/** What one run is told, as one word of JSON on its command line. */
export const ToRun = z.object({
  scenario: z.string(),
  seed: z.string(),
  devices: z.number(),
  running: z.string(),
  candidate: z.string().optional(),
  artifactFolder: z.string(),
  /** Which of the devices it plays, where other processes play the others; and in how many turns, one after the other. */
  part: z.object({ index: z.int().min(0), of: z.int().min(1), turns: z.int().min(1) }).optional(),
  /** A file of faults, instead of the scenario's own. */
  faults: z.string().optional(),
  /** Where it writes how it went, for a report. */
  course: z.string().optional(),
});
export type ToRun = z.infer<typeof ToRun>;
