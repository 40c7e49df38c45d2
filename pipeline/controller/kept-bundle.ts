import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { type Bundle, Look, Pair } from "../judge/bundle.ts";
import { sha256Of } from "../judge/digest.ts";
import { judging, type Policy } from "../policy.ts";
import type { RolloutTarget } from "../rollout/plan.ts";
import { targetsOf, type TargetState } from "../rollout/state.ts";
import type { FoldedRollout } from "./folded.ts";
import type { KeptDocuments } from "./kept.ts";

/**
 * What a rollout's looks were made of lies in `rollouts/<id>/<target>/`: `before.json`, `looks/<ms>.json`,
 * `verdicts/<ms>.json`, where ms is the time since the assignment.
 */
export const Before = z.record(z.string(), z.array(Pair));

/** Something that a verdict was made of is not there any more, or is no longer what was written. */
export class KeptEvidenceError extends CoalmineError {
  readonly code = "ERR_KEPT_EVIDENCE";
}

export interface KeptBundle {
  readonly bundle: Bundle;
  readonly sha256: string;
}

/** The bundle that a target's latest verdict was made of, read again from what was kept. @throws KeptEvidenceError */
export async function keptBundle(
  kept: KeptDocuments,
  folded: FoldedRollout,
  policy: Policy,
  target: string,
): Promise<KeptBundle> {
  const own = folded.planned && targetsOf(folded.planned.rollout).find(({ plan }) => plan.name === target);
  if (own === undefined)
    throw new KeptEvidenceError(`${folded.id} does not go to ${target}; nothing was judged there`);
  const folder = folderOf(folded.id, target);
  const past = folded.looks[target] ?? [];
  if (past.length === 0)
    throw new KeptEvidenceError(
      `nothing was judged in ${target} yet: the first look comes once its canary has the release`,
    );
  const before = await readPart(kept, `${folder}/before.json`, Before);
  const looks: Look[] = [];
  for (const { elapsedMs } of past) looks.push(await readPart(kept, lookKey(folder, elapsedMs), Look));
  const bundle = bundleOf(folded.id, own.plan, own.state, policy, before, looks);
  return { bundle, sha256: sha256Of(bundle) };
}

async function readPart<Schema extends z.ZodType>(
  kept: KeptDocuments,
  key: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  try {
    const part = await kept.read(key, schema);
    if (part !== undefined) return part;
  } catch (failure) {
    if (!(failure instanceof z.ZodError) && !(failure instanceof SyntaxError)) throw failure;
    throw new KeptEvidenceError(
      `${key} is not what was written there, so its verdict cannot be computed again; the bucket's versions may have the original`,
      { cause: failure },
    );
  }
  throw new KeptEvidenceError(
    `${key} is gone from the bucket, so its verdict cannot be computed again; the bucket's versions may have it`,
  );
}

export function bundleOf(
  rollout: string,
  plan: RolloutTarget,
  state: TargetState,
  policy: Policy,
  before: Bundle["before"],
  looks: Look[],
): Bundle {
  const { canaryDevices } = plan.policy;
  return {
    version: 1,
    rollout,
    target: plan.name,
    devices: plan.devices,
    draw: {
      how: "drawn",
      seed: state.seed ?? "",
      canary: state.order.slice(0, state.canaryCount),
      ...(canaryDevices === state.canaryCount ? {} : { asked: canaryDevices }),
    },
    ...judging(policy, plan.name),
    before,
    looks,
  };
}

export function lookKey(folder: string, elapsedMs: number): string {
  return `${folder}/looks/${name(elapsedMs)}.json`;
}

/** Where all that was kept of a target lies. */
export function folderOf(rollout: string, target: string): string {
  return `rollouts/${rollout}/${target}`;
}

/** Where the verdict of a look lies in full. */
export function verdictKey(rollout: string, target: string, elapsedMs: number): string {
  return `${folderOf(rollout, target)}/verdicts/${name(elapsedMs)}.json`;
}

/** Names sort as the times do. */
function name(elapsedMs: number): string {
  return String(elapsedMs).padStart(12, "0");
}
