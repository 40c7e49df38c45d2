import * as z from "zod";

/**
 * What the operators' API answers, on one machine and on AWS alike; also the `--json` of the commands that ask the same.
 * Instants are in ms since 1970, on the clock of the target that they are of; durations in ms.
 */

/** What a person may do; each may do what those before it may. */
export const roles = ["viewer", "technician", "operator", "admin"] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

export const Person = z.object({ who: z.string().min(1).max(200), role: Role });
export type Person = z.infer<typeof Person>;

const verdict = z.enum(["PROMOTE", "HALT", "WAIT", "INCONCLUSIVE"]);

export const RolloutSummary = z.object({
  rollout: z.string(),
  commit: z.string(),
  startedMs: z.number(),
  phase: z.string(),
  outcome: z.string().optional(),
  because: z.string().optional(),
});

const Deadline = z.object({ name: z.string(), atMs: z.number(), inMs: z.number(), afterwards: z.string() });

const ShownTarget = z.object({
  target: z.string(),
  nowMs: z.number(),
  devices: z.object({ all: z.int(), canary: z.int(), exposed: z.int() }),
  byVersion: z.record(z.string(), z.int()),
  deadline: Deadline.optional(),
  begins: z
    .object({ atMs: z.number(), inMs: z.number(), waitsFor: z.enum(["prePeriod", "window"]) })
    .optional(),
  groups: z.array(z.string()).readonly(),
  stuck: z.object({ things: z.array(z.string()).readonly(), ageMs: z.number() }).optional(),
  verdict: z.object({ verdict, because: z.string(), elapsedMs: z.number() }).optional(),
  watch: z.object({ verdict: z.string(), because: z.string(), atMs: z.number() }).optional(),
  progress: z
    .object({
      devices: z.record(z.string(), z.int()),
      stuck: z
        .array(z.object({ thing: z.string(), stage: z.string(), ageMs: z.number(), next: z.string() }))
        .readonly(),
      newcomers: z.array(z.object({ thing: z.string(), group: z.string(), set: z.string() })).readonly(),
    })
    .optional(),
});

export const ShownRollout = RolloutSummary.extend({
  /** Of what was decided and seen so far. A decision names the one that it was made on. */
  state: z.string(),
  ageMs: z.number(),
  promotedBy: z.string().optional(),
  targets: z.array(ShownTarget).readonly(),
  outstanding: z.array(z.string()).readonly(),
  overrides: z.array(z.object({ stage: z.string(), who: z.string(), why: z.string() })).readonly(),
  /** What makes sense next. */
  next: z.string(),
  /** Why it is where it is, a sentence each. */
  why: z.array(z.string()),
});

export const AuditEntry = z.object({
  sequence: z.int(),
  /** Missing, as `kind` is, where the entry was changed and cannot be read any more. */
  atMs: z.number().optional(),
  kind: z.string().optional(),
  /** As it is stored: the next entry's `previous` is its hash. */
  text: z.string(),
  sha256: z.string(),
});

export const Audit = z.object({
  rollout: z.string(),
  ok: z.boolean(),
  because: z.string().optional(),
  entries: z.array(AuditEntry),
});

export const decisions = ["promote", "hold", "resume", "rollback"] as const;
export const Decision = z.enum(decisions);
export type Decision = z.infer<typeof Decision>;

export const DecisionBody = z.strictObject({
  reason: z.string().trim().min(1, "a reason is needed: it is what the audit log keeps").max(1000),
  /** `state` of the rollout as it was shown to who decides. */
  state: z.string().max(100),
  /** Made anew for each decision, and the same when it is sent again: it is carried out once. */
  key: z.string().regex(/^[\w-]{8,64}$/, "8 to 64 letters, digits, _ or -"),
});
export type DecisionBody = z.infer<typeof DecisionBody>;

export const Decided = z.object({
  rollout: z.string(),
  phase: z.string(),
  /** Of its entry in the audit log. */
  sequence: z.int(),
  next: z.string(),
});

/** A refusal: what, with which values, what to do. */
export const Problem = z.object({ code: z.string(), problem: z.string() });

/** An event of the live stream, `event: entry`; its id is `<rollout>/<sequence>`. */
export const EntryEvent = z.object({
  rollout: z.string(),
  sequence: z.int(),
  atMs: z.number(),
  kind: z.string(),
});
export type EntryEvent = z.infer<typeof EntryEvent>;

/** Every call with the role that it takes. The path's `:rollout` is a rollout's name or the beginning of it. */
export const operatorCalls = {
  me: { method: "GET", path: "/api/me", role: "viewer", answer: Person },
  rollouts: { method: "GET", path: "/api/rollouts", role: "viewer", answer: z.array(RolloutSummary) },
  rollout: { method: "GET", path: "/api/rollouts/:rollout", role: "viewer", answer: ShownRollout },
  audit: { method: "GET", path: "/api/rollouts/:rollout/audit", role: "viewer", answer: Audit },
  decide: { method: "POST", path: "/api/rollouts/:rollout/:decision", role: "operator", answer: Decided },
} as const satisfies Readonly<
  Record<string, { method: "GET" | "POST"; path: string; role: Role; answer: z.ZodType }>
>;
export type OperatorCall = keyof typeof operatorCalls;
