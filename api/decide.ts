import { createHash } from "node:crypto";
import type { Decision } from "@coalmine/contract/operator-api";
import * as z from "zod";
import { readEntry, type StoredEntry } from "../pipeline/controller/audit.ts";
import { foldEntry, type FoldedRollout } from "../pipeline/controller/folded.ts";
import { AppendConflict } from "../pipeline/controller/rollout-log.ts";
import type { Evidence } from "../pipeline/rollout/evidence.ts";
import { next } from "../pipeline/rollout/next.ts";
import { canBeLetThrough } from "../pipeline/rollout/emergency.ts";
import type { Phase, Rollout } from "../pipeline/rollout/state.ts";
import { phases } from "../pipeline/why/phases.ts";
import { ApiError } from "./api-error.ts";
import { findRollout, parseInput, RolloutInput, timesOf, type Api } from "./api.ts";

/** A person's decision: who, and why, since the audit log keeps both. */
export const DecisionInput = RolloutInput.extend({
  who: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1, "a reason is needed: it is what the audit log keeps").max(1000),
});
export type DecisionInput = z.input<typeof DecisionInput>;

/** What a page adds, which may have been looked at for long, and may ask twice. */
const Guarded = DecisionInput.extend({
  /** `stateOf` the rollout as it was shown: on another one nothing is decided. */
  state: z.string().optional(),
  /** Of this decision: with the same key it is carried out once, however often it is asked for. */
  key: z.string().optional(),
});
export type GuardedInput = z.input<typeof Guarded>;

export const PromotionInput = DecisionInput.extend({
  /** Let it through unjudged, which takes two people: one opens the emergency lane, another one completes it. */
  emergency: z.boolean().default(false),
});
export type PromotionInput = z.input<typeof PromotionInput>;

/** What a decision made of the rollout. */
export interface Decided {
  readonly rollout: string;
  readonly phase: Phase["phase"];
  /** The number of the decision's entry in the audit log. */
  readonly sequence: number;
  /** What makes sense next, in a sentence. */
  readonly next: string;
}

type Told = Extract<
  Evidence["kind"],
  "promoted" | "emergencyPromoted" | "held" | "resumed" | "rollbackRequested"
>;

/** The controller may write at the same moment; then the decision is thought through again. */
const ATTEMPTS_MAX = 5;

const kinds: Readonly<Record<Decision, Told>> = {
  promote: "promoted",
  hold: "held",
  resume: "resumed",
  rollback: "rollbackRequested",
};

/** What a rollout is told of a decision. */
export function evidenceOf(
  decision: Decision,
  told: { readonly by: string; readonly reason: string },
): Evidence {
  return { kind: kinds[decision], ...told };
}

export const promote = async (api: Api, input: PromotionInput): Promise<Decided> =>
  tell(api, input, parseInput(PromotionInput, input).emergency ? "emergencyPromoted" : "promoted");
export const hold = (api: Api, input: DecisionInput): Promise<Decided> => decide(api, input, "hold");
export const resume = (api: Api, input: DecisionInput): Promise<Decided> => decide(api, input, "resume");
export const rollback = (api: Api, input: DecisionInput): Promise<Decided> => decide(api, input, "rollback");
/** `because` gives what speaks against it at this moment, where something does; what was decided before it stays so. */
export const decide = (
  api: Api,
  input: GuardedInput,
  decision: Decision,
  because?: () => Promise<string | undefined>,
): Promise<Decided> => tell(api, input, kinds[decision], because);

/** Records the decision where the rollout can take it as it stands now. @throws ApiError with the state otherwise. */
async function tell(
  api: Api,
  input: GuardedInput,
  kind: Told,
  because?: () => Promise<string | undefined>,
): Promise<Decided> {
  const { rollout: named, who, reason, state, key } = parseInput(Guarded, input);
  for (let attempt = 1; ; attempt++) {
    const folded = await findRollout(api, named);
    const { planned } = folded;
    if (planned === undefined)
      throw new ApiError(
        "ERR_API_CONFLICT",
        `${folded.id} has no plan to decide on (${"because" in folded.first ? folded.first.because : folded.first.kind}); push again`,
      );
    if (key !== undefined) {
      const earlier = (await api.log.entries(folded.id)).find((entry) => hasKey(entry, key));
      if (earlier !== undefined) return decided(folded, planned.rollout, earlier);
    }
    const now = await timesOf(api, folded);
    // Time may have moved it first: what is refused is refused in the phase that it is in by now.
    const { rollout } = next(planned.rollout, [], now);
    if (state !== undefined) refuseMoved(folded, rollout, state);
    const against = await because?.();
    if (against !== undefined) throw new ApiError("ERR_API_CONFLICT", `nothing was decided: ${against}`);
    const evidence: Evidence = { kind, by: who, reason, ...(key === undefined ? {} : { key }) };
    const { refused } = next(planned.rollout, [evidence], now);
    if (refused.length > 0)
      throw new ApiError("ERR_API_CONFLICT", `${refused.join("; ")}. ${whatNext(folded, rollout)}`);
    try {
      const entry = await api.log.append(folded.last, { kind: "told", evidence: [evidence], now });
      return decided(folded, foldEntry(folded, entry).planned?.rollout ?? rollout, entry);
    } catch (failure) {
      if (!(failure instanceof AppendConflict) || attempt >= ATTEMPTS_MAX) throw failure;
    }
  }
}

/** What a decision depends on: as long as it stays the same, nothing was decided and no verdict changed. */
export function stateOf({ phase, targets, promotedBy }: Rollout): string {
  const { since: _since, ...decided } = phase;
  const verdicts = Object.entries(targets).map(([name, { verdict }]) => [name, verdict?.verdict]);
  return createHash("sha256")
    .update(JSON.stringify([decided, verdicts, promotedBy]))
    .digest("hex")
    .slice(0, 16);
}

function refuseMoved(folded: FoldedRollout, rollout: Rollout, seen: string): void {
  if (stateOf(rollout) === seen) return;
  throw new ApiError(
    "ERR_API_CONFLICT",
    `${folded.id} has moved on since it was looked at: it is ${rollout.phase.phase} now, and nothing was decided. ${whatNext(folded, rollout)}`,
  );
}

function hasKey(entry: StoredEntry, key: string): boolean {
  const { record } = readEntry(entry);
  return record.kind === "told" && record.evidence.some((one) => "reason" in one && one.key === key);
}

function decided(folded: FoldedRollout, rollout: Rollout, { sequence }: StoredEntry): Decided {
  return {
    rollout: folded.id,
    phase: rollout.phase.phase,
    sequence,
    next: whatNext(folded, rollout),
  };
}

/** The next command that makes sense as a rollout stands. */
export function whatNext(
  { id }: Pick<FoldedRollout, "id">,
  { phase, emergency }: Pick<Rollout, "phase" | "emergency">,
): string {
  const isOpen = emergency !== undefined && emergency.completed === undefined;
  return isOpen && canBeLetThrough(phase.phase)
    ? `${emergency.opened.by} has opened the emergency lane (${emergency.opened.reason}); another person completes it with \`coalmine rollout promote ${id} --emergency --reason …\`.`
    : phases[phase.phase].next(id);
}
