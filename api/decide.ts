import * as z from "zod";
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

type Decision = Extract<
  Evidence["kind"],
  "promoted" | "emergencyPromoted" | "held" | "resumed" | "rollbackRequested"
>;

/** The controller may write at the same moment; then the decision is thought through again. */
const ATTEMPTS_MAX = 5;

export const promote = async (api: Api, input: PromotionInput): Promise<Decided> =>
  decide(api, input, parseInput(PromotionInput, input).emergency ? "emergencyPromoted" : "promoted");
export const hold = (api: Api, input: DecisionInput): Promise<Decided> => decide(api, input, "held");
export const resume = (api: Api, input: DecisionInput): Promise<Decided> => decide(api, input, "resumed");
export const rollback = (api: Api, input: DecisionInput): Promise<Decided> =>
  decide(api, input, "rollbackRequested");

/** Records the decision where the rollout can take it as it stands now. @throws ApiError with the state otherwise. */
async function decide(api: Api, input: DecisionInput, kind: Decision): Promise<Decided> {
  const { rollout: named, who, reason } = parseInput(DecisionInput, input);
  for (let attempt = 1; ; attempt++) {
    const folded = await findRollout(api, named);
    const { planned } = folded;
    if (planned === undefined)
      throw new ApiError(
        "ERR_API_CONFLICT",
        `${folded.id} has no plan to decide on (${"because" in folded.first ? folded.first.because : folded.first.kind}); push again`,
      );
    const now = await timesOf(api, folded);
    const evidence: Evidence = { kind, by: who, reason };
    const { refused } = next(planned.rollout, [evidence], now);
    // Time may have moved it first: what is refused is refused in the phase that it is in by now.
    const { rollout } = next(planned.rollout, [], now);
    if (refused.length > 0)
      throw new ApiError("ERR_API_CONFLICT", `${refused.join("; ")}. ${whatNext(folded, rollout)}`);
    try {
      const entry = await api.log.append(folded.last, { kind: "told", evidence: [evidence], now });
      const after = foldEntry(folded, entry).planned?.rollout ?? rollout;
      return {
        rollout: folded.id,
        phase: after.phase.phase,
        sequence: entry.sequence,
        next: whatNext(folded, after),
      };
    } catch (failure) {
      if (!(failure instanceof AppendConflict) || attempt >= ATTEMPTS_MAX) throw failure;
    }
  }
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
