import * as z from "zod";
import { verifyAudit } from "../pipeline/controller/audit.ts";
import { keptBundle, KeptEvidenceError, verdictKey } from "../pipeline/controller/kept-bundle.ts";
import type { FoldedRollout } from "../pipeline/controller/folded.ts";
import type { Bundle } from "../pipeline/judge/bundle.ts";
import { digestOf, sha256Of } from "../pipeline/judge/digest.ts";
import { judge } from "../pipeline/judge/judge.ts";
import type { ToldJudgement } from "../pipeline/judge/judgement.ts";
import { faultsOfDraw, faultsOfVerdict } from "../pipeline/judge/verify.ts";
import { durationText } from "../pipeline/judge/verdict.ts";
import { replayPolicy, type Replay } from "../pipeline/policy-replay.ts";
import { parsePolicy, type Policy } from "../pipeline/policy.ts";
import { seedHashOf } from "../pipeline/rollout/seed.ts";
import { ApiError } from "./api-error.ts";
import { findRollout, parseInput, RolloutInput, type Api } from "./api.ts";

export const KeptInput = RolloutInput.extend({
  /** All of the rollout's where none is named. */
  target: z.string().min(1).optional(),
});

export interface TargetVerification {
  readonly target: string;
  readonly looks: number;
  /** Of the bundle that the latest verdict was made of; undefined where it cannot be put together. */
  readonly sha256: string | undefined;
  /** What does not fit, a sentence each. */
  readonly faults: readonly string[];
}

export interface RolloutVerification {
  readonly rollout: string;
  readonly ok: boolean;
  readonly targets: readonly TargetVerification[];
}

/**
 * Whether every verdict of a rollout follows from what was kept: the draw from its seed and the seed from its
 * commitment, each look from the digest in the audit log, each verdict from the looks until then, byte for byte.
 */
export async function verifyKept(api: Api, input: z.input<typeof KeptInput>): Promise<RolloutVerification> {
  const { rollout, target } = parseInput(KeptInput, input);
  const folded = await findRollout(api, rollout);
  const audit = verifyAudit(await api.log.entries(folded.id));
  const targets: TargetVerification[] = [];
  for (const name of targetNames(folded, target)) {
    const found = await verifyTarget(api, folded, name);
    const chain = audit.ok ? [] : [`the audit log does not hold: ${audit.because}`];
    targets.push({ ...found, faults: [...chain, ...found.faults] });
  }
  return { rollout: folded.id, ok: targets.every(({ faults }) => faults.length === 0), targets };
}

/** A target's latest verdict as it was kept, and the bundle that it was made of: two files for whoever verifies offline. */
export async function keptJudgement(
  api: Api,
  input: z.input<typeof KeptInput>,
): Promise<{ readonly bundle: Bundle; readonly judgement: ToldJudgement }> {
  const { rollout, target } = parseInput(KeptInput, input);
  const folded = await findRollout(api, rollout);
  const [name = "", ...others] = targetNames(folded, target);
  if (others.length > 0)
    throw new ApiError(
      "ERR_API_INPUT",
      `${folded.id} was judged in ${[name, ...others].join(" and ")}; name one of them as the target`,
    );
  const { bundle } = await keptBundle(api.kept, folded, policyOf(folded), name);
  const key = verdictKey(folded.id, name, bundle.looks.at(-1)?.elapsedMs ?? 0);
  const verdict = await api.kept.read(key, z.record(z.string(), z.json()));
  if (verdict === undefined)
    throw new KeptEvidenceError(`${key} is gone from the bucket; the bucket's versions may have it`);
  return { bundle, judgement: { bundle: digestOf(bundle), verdict } };
}

/** A past rollout's looks, judged by another policy beside what was said of them. @throws PolicyError, KeptEvidenceError */
export async function replayKept(
  api: Api,
  input: z.input<typeof KeptInput>,
  policy: Policy,
): Promise<{ readonly rollout: string; readonly targets: readonly Replay[] }> {
  const { rollout, target } = parseInput(KeptInput, input);
  const folded = await findRollout(api, rollout);
  const targets: Replay[] = [];
  for (const name of targetNames(folded, target)) {
    const { bundle } = await keptBundle(api.kept, folded, policyOf(folded), name);
    targets.push(replayPolicy(bundle, policyOf(folded), policy, folded.looks[name] ?? []));
  }
  return { rollout: folded.id, targets };
}

/** The targets whose looks were kept, or the one that is asked for. */
function targetNames(folded: FoldedRollout, target: string | undefined): string[] {
  const names = Object.keys(folded.looks);
  if (target === undefined && names.length > 0) return names;
  if (target !== undefined && names.includes(target)) return [target];
  throw new ApiError(
    "ERR_API_NO_EVIDENCE",
    target === undefined || names.length === 0
      ? `nothing of ${folded.id} was judged; the first look comes once its canary has the release`
      : `nothing was judged in ${target}; ${folded.id} has looks of ${names.join(", ")}`,
  );
}

function policyOf(folded: FoldedRollout): Policy {
  return parsePolicy(folded.planned?.record.policy ?? "");
}

async function verifyTarget(api: Api, folded: FoldedRollout, target: string): Promise<TargetVerification> {
  const looks = (folded.looks[target] ?? []).length;
  try {
    const { bundle, sha256 } = await keptBundle(api.kept, folded, policyOf(folded), target);
    const faults = [
      ...faultsOfSeed(folded, bundle),
      ...faultsOfDraw(bundle),
      ...(await faultsOfLooks(api, folded, bundle)),
    ];
    return { target, looks, sha256, faults };
  } catch (failure) {
    if (!(failure instanceof KeptEvidenceError)) throw failure;
    return { target, looks, sha256: undefined, faults: [failure.message] };
  }
}

function faultsOfSeed(folded: FoldedRollout, { draw, target }: Bundle): string[] {
  const plan = folded.planned?.record.plan.targets.find(({ name }) => name === target);
  const hash = seedHashOf(draw.seed);
  return plan === undefined || plan.seedHash === hash
    ? []
    : [`the seed "${draw.seed}" hashes to ${hash}, and the plan committed to ${plan.seedHash}`];
}

async function faultsOfLooks({ kept }: Api, folded: FoldedRollout, bundle: Bundle): Promise<string[]> {
  const faults: string[] = [];
  for (const [index, { elapsedMs, digest, verdict }] of (folded.looks[bundle.target] ?? []).entries()) {
    const look = `the look after ${durationText(elapsedMs)}`;
    const until = { ...bundle, looks: bundle.looks.slice(0, index + 1) };
    const sha256 = sha256Of(until);
    const given = judge(until);
    const told = await kept.read(verdictKey(folded.id, bundle.target, elapsedMs), z.json());
    const wrong =
      told === undefined
        ? [`its verdict is gone from the bucket; the audit log says ${verdict}`]
        : faultsOfVerdict(told, given);
    if (given.verdict !== verdict)
      wrong.push(`the audit log says ${verdict}, and what was kept gives ${given.verdict}`);
    faults.push(...wrong.map((fault) => `${look}: ${fault}`));
    if (sha256 === digest) continue;
    const what = index === 0 ? `${look}, or the time before the assignment,` : look;
    return [
      `${what} was changed after it was judged: with it the bundle has the SHA-256 ${sha256}, and the audit log has ${digest}`,
      ...faults,
      // Each later digest holds this look too, and differs with it.
      "later looks cannot be checked before this one is put back",
    ];
  }
  return faults;
}
