import * as z from "zod";
import type { AuditFinding } from "../pipeline/controller/audit.ts";
import { readEntry, verifyAudit } from "../pipeline/controller/audit.ts";
import { isFinished, readRollout, type FoldedRollout } from "../pipeline/controller/folded.ts";
import type { Verdict } from "../pipeline/judge/verdict.ts";
import { next } from "../pipeline/rollout/next.ts";
import { deadlinesOf } from "../pipeline/rollout/deadlines.ts";
import type { RolloutTarget } from "../pipeline/rollout/plan.ts";
import {
  arrivedShare,
  isBack,
  targetsOf,
  waveThings,
  type Rollout,
  type TargetState,
} from "../pipeline/rollout/state.ts";
import { beginsAtMs } from "../pipeline/rollout/waits.ts";
import { isOpen } from "../pipeline/rollout/windows.ts";
import { findRollout, parseInput, RolloutInput, timesOf, type Api } from "./api.ts";
import { stateOf, whatNext } from "./decide.ts";

export interface RolloutSummary {
  readonly rollout: string;
  readonly commit: string;
  /** On the home region's clock. */
  readonly startedMs: number;
  readonly phase: string;
  readonly outcome: string | undefined;
  readonly because: string | undefined;
}

export interface TargetDescription {
  readonly target: string;
  /** The target's own time. */
  readonly nowMs: number;
  /** When the present phase began here. */
  readonly sinceMs: number;
  readonly devices: { readonly all: number; readonly canary: number; readonly exposed: number };
  /** Set of components → devices that reported it last; `unreported` have not said anything in this rollout. */
  readonly byVersion: Readonly<Record<string, number>>;
  readonly deadline:
    | { readonly name: string; readonly atMs: number; readonly inMs: number; readonly afterwards: string }
    | undefined;
  /** When its canary or its next wave may begin, where that waits for its pre-period or its maintenance window. */
  readonly begins:
    | { readonly atMs: number; readonly inMs: number; readonly waitsFor: "prePeriod" | "window" }
    | undefined;
  /** The thing groups of its canary and its main fleet. */
  readonly groups: readonly string[];
  /** Devices that are waited for, or that were not waited for any longer, with how long that has been going on. */
  readonly stuck: { readonly things: readonly string[]; readonly ageMs: number } | undefined;
  readonly verdict:
    | { readonly verdict: Verdict["verdict"]; readonly because: string; readonly elapsedMs: number }
    | undefined;
  /** What was seen last of all devices that have the release, once waves go on. */
  readonly watch: { readonly verdict: string; readonly because: string; readonly atMs: number } | undefined;
}

export interface RolloutDescription extends RolloutSummary {
  /** Changes with what a decision depends on; empty without a plan. */
  readonly state: string;
  readonly ageMs: number;
  readonly promotedBy: string | undefined;
  /** Who wanted it let through unjudged, and why; it takes two. */
  readonly emergency: Rollout["emergency"];
  readonly targets: readonly TargetDescription[];
  /** Keys of what the controller has still to do. */
  readonly outstanding: readonly string[];
  readonly overrides: readonly { readonly stage: string; readonly who: string; readonly why: string }[];
  readonly next: string;
}

export const ListInput = z.object({ limit: z.int().min(1).max(100).default(20) });

/** The latest rollouts, newest first. */
export async function listRollouts(
  api: Api,
  input: z.input<typeof ListInput> = {},
): Promise<RolloutSummary[]> {
  const { limit } = parseInput(ListInput, input);
  const summaries: RolloutSummary[] = [];
  for (const listed of await api.log.list(limit)) {
    const folded = await readRollout(api.log, listed.rollout);
    if (folded !== undefined) summaries.push({ ...listed, ...standing(folded) });
  }
  return summaries;
}

/** One rollout as it stands now, on each target's own clock. */
export async function describeRollout(api: Api, input: RolloutInput): Promise<RolloutDescription> {
  return describe(api, await standOf(api, input));
}

/** A rollout with the time of its targets; `rollout` is undefined where no plan was made. */
export interface Stand {
  readonly folded: FoldedRollout;
  readonly now: Readonly<Record<string, number>>;
  readonly rollout: Rollout | undefined;
}

export async function standOf(api: Api, input: RolloutInput): Promise<Stand> {
  const folded = await findRollout(api, parseInput(RolloutInput, input).rollout);
  const now = await timesOf(api, folded);
  return { folded, now, rollout: folded.planned && next(folded.planned.rollout, [], now).rollout };
}

export async function describe(api: Api, { folded, now, rollout }: Stand): Promise<RolloutDescription> {
  const listed = (await api.log.list()).find((one) => one.rollout === folded.id);
  const since = rollout === undefined ? [] : Object.entries(rollout.phase.since);
  return {
    rollout: folded.id,
    commit: listed?.commit ?? "",
    startedMs: listed?.startedMs ?? 0,
    ...standing(folded),
    state: rollout === undefined ? "" : stateOf(rollout),
    ageMs: Math.max(0, ...since.map(([target, at]) => (now[target] ?? at) - at)),
    promotedBy: rollout?.promotedBy,
    emergency: rollout?.emergency,
    targets: rollout === undefined ? [] : describeTargets(rollout),
    outstanding: Object.keys(rollout?.outbox ?? {}),
    overrides: folded.overrides,
    next: rollout === undefined ? "Push again." : whatNext(folded, rollout),
  };
}

export const AuditInput = RolloutInput.extend({
  /** The hash of any entry, written down elsewhere: the log has to hold it still. */
  noted: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "a hash is 64 hexadecimal digits")
    .optional(),
});

/** Whether the audit log of a rollout is as it was written. */
export async function auditVerify(
  api: Api,
  input: z.input<typeof AuditInput>,
): Promise<AuditFinding & { readonly rollout: string }> {
  const { rollout, noted } = parseInput(AuditInput, input);
  // By its full name and unread: an entry that was changed may be no entry any more.
  const entries = await api.log.entries(rollout);
  if (entries.length > 0) return { rollout, ...verifyAudit(entries, noted) };
  const { id } = await findRollout(api, rollout);
  return { rollout: id, ...verifyAudit(await api.log.entries(id), noted) };
}

/** The audit log of a rollout, entry by entry, with what verifying it finds. */
export async function auditEntries(api: Api, input: RolloutInput) {
  const { id } = await findRollout(api, parseInput(RolloutInput, input).rollout);
  const entries = await api.log.entries(id);
  const finding = verifyAudit(entries);
  return {
    rollout: id,
    ok: finding.ok,
    ...(finding.ok ? {} : { because: finding.because }),
    entries: entries.map((entry, index) => {
      const { sequence, text, sha256 } = entry;
      const shown = { sequence, text, sha256 };
      // What stands behind a changed entry may be anything.
      if (!finding.ok && index >= finding.sequence) return shown;
      const { atMs, record } = readEntry(entry);
      return { ...shown, atMs, kind: record.kind };
    }),
  };
}

function standing(folded: FoldedRollout): Pick<RolloutSummary, "phase" | "outcome" | "because"> {
  const { first, planned } = folded;
  if (planned === undefined)
    return { phase: first.kind, outcome: undefined, because: "because" in first ? first.because : undefined };
  const { phase } = planned.rollout;
  return {
    phase: phase.phase === "done" && !isFinished(folded) ? "ending" : phase.phase,
    outcome: "outcome" in phase ? phase.outcome : undefined,
    because: "because" in phase ? phase.because : undefined,
  };
}

function describeTargets(rollout: Rollout): TargetDescription[] {
  const deadlines = deadlinesOf(rollout);
  return targetsOf(rollout).map(({ plan, state, now }) => {
    const deadline = deadlines.find(({ target }) => target === plan.name);
    const missing = awaited(rollout, plan.name);
    const byVersion: Record<string, number> = {};
    for (const { thing } of plan.devices) {
      const set = state.reports[thing]?.set ?? "unreported";
      byVersion[set] = (byVersion[set] ?? 0) + 1;
    }
    return {
      target: plan.name,
      nowMs: now,
      sinceMs: rollout.phase.since[plan.name] ?? now,
      devices: { all: plan.devices.length, canary: state.canaryCount, exposed: state.exposed.length },
      byVersion,
      deadline:
        deadline === undefined
          ? undefined
          : {
              name: deadline.name,
              atMs: deadline.atMs,
              inMs: deadline.atMs - now,
              afterwards: deadline.afterwards,
            },
      begins: beginsOf(rollout, plan, state, now),
      groups: [plan.canaryGroup, plan.mainGroup],
      stuck:
        missing.length === 0
          ? undefined
          : { things: missing, ageMs: now - (rollout.phase.since[plan.name] ?? now) },
      verdict: state.verdict,
      watch: state.watch?.seen,
    };
  });
}

function beginsOf(
  rollout: Rollout,
  plan: RolloutTarget,
  state: TargetState,
  now: number,
): TargetDescription["begins"] {
  const atMs = beginsAtMs(rollout, plan, state, now);
  const waitsFor = isOpen(plan.policy.windows, now) ? "prePeriod" : "window";
  return atMs > now ? { atMs, inMs: atMs - now, waitsFor } : undefined;
}

/** The devices that the present phase waits for; of one that has ended, those that never reported. */
function awaited(rollout: Rollout, target: string): string[] {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  if (own === undefined) return [];
  const { plan, state } = own;
  const { phase } = rollout;
  if (phase.phase === "done")
    return phase.stragglers.flatMap((one) => (one.target === target ? [one.thing] : []));
  if (phase.phase === "rollingBack") return state.exposed.filter((thing) => !isBack(plan, state, thing));
  const things =
    phase.phase === "canary"
      ? state.order.slice(0, state.canaryCount)
      : phase.phase === "waves" && state.waveBegunAtMs !== undefined
        ? waveThings(plan, state, phase.wave)
        : phase.phase === "verifying"
          ? state.order
          : [];
  return arrivedShare(plan, state, things) === 1
    ? []
    : things.filter((thing) => state.reports[thing]?.set !== plan.candidate.id);
}
