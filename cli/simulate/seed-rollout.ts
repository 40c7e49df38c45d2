import type { Clock } from "@coalmine/ports";
import { Closing, CoalmineError, invariant } from "@coalmine/runtime";
import * as z from "zod";
import { keptBundle, verdictKey } from "../../pipeline/controller/kept-bundle.ts";
import { readRollout, type FoldedRollout } from "../../pipeline/controller/folded.ts";
import { arrange } from "../../pipeline/judge/arrangement.ts";
import { compareArms } from "../../pipeline/judge/comparison.ts";
import { brokenLimits } from "../../pipeline/judge/limits.ts";
import { parsePolicy } from "../../pipeline/policy.ts";
import type { Phase } from "../../pipeline/rollout/state.ts";
import { INSTALL_MS } from "../system/aging.ts";
import { DRIVEN } from "../system/driven-region.ts";
import type { Places } from "../system/state.ts";
import { startDrivenRollouts, type DrivenRollouts } from "./driven-rollouts.ts";
import type { Releases } from "./releases.ts";

/** The release cannot be rolled out on such a fleet by such a policy. */
export class SimulationRefused extends CoalmineError {
  readonly code = "ERR_SIMULATION";
}

/** What runs, what is rolled onto it, by which policy, and on how many devices. */
export interface Trial extends Releases {
  /** As text. */
  readonly policy: string;
  readonly devices: number;
}

const Verdict = z.object({
  metrics: z.array(
    z.object({
      metric: z.string(),
      p: z.number().nullable(),
      ratio: z.number().nullable(),
      ratioLow: z.number().nullable(),
      ratioHigh: z.number().nullable(),
    }),
  ),
  guard: z.object({ tripped: z.boolean(), failed: z.int(), updated: z.int(), eValue: z.number() }).nullable(),
});
type Verdict = z.infer<typeof Verdict>;

/** How a release fared on one seed. */
export interface SeedRollout {
  readonly seed: string;
  /** `promotable` waits for a person who promotes; `undecided` for one who decides. */
  readonly ended: "halted" | "promotable" | "undecided" | "failed";
  /** What spoke, where it was halted: the judge by its comparison, a limit or the guard, or the share that arrived. */
  readonly by: "comparison" | "limit" | "guard" | "arrival" | undefined;
  readonly because: string;
  /** Of the metrics that halted. */
  readonly metrics: Verdict["metrics"];
  /** Of the guard, where it halted. */
  readonly guard: Verdict["guard"];
  /** On the devices' clock, since the canary was told to take the release. */
  readonly elapsedMs: number;
  /** Devices that were told to take it. */
  readonly exposed: number;
  readonly wallSeconds: number;
}

/** Far more passes than a rollout with its pre-period takes. */
const PASSES_MAX = 2000;
const [RUNNING, CANDIDATE] = ["1111111aaaaa", "2222222bbbbb"];

/** Rolls the candidate onto a fleet of its own until there is a verdict; fleet, draw and all that happens follow from the seed. */
export async function rollOnSeed(
  at: Places,
  trial: Trial,
  seed: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<SeedRollout> {
  const beganMs = clock.monotonicMs();
  const closing = new Closing();
  try {
    const it = await startDrivenRollouts(closing, at, { ...trial, seed });
    const running = await it.publish(trial.running, RUNNING);
    await it.publish(trial.candidate, CANDIDATE);
    await it.install(running);
    await it.api.time.waitUntil(it.region.target, it.driven.where.now + INSTALL_MS, signal);
    await it.push(CANDIDATE);
    const folded = await untilDecided(it, signal);
    const wallSeconds = Math.round((clock.monotonicMs() - beganMs) / 100) / 10;
    return { seed, ...(await decisionOf(it, folded)), wallSeconds };
  } finally {
    await closing.close();
  }
}

/** Drives the region whenever the controller waits for it. */
async function untilDecided(it: DrivenRollouts, signal: AbortSignal): Promise<FoldedRollout> {
  const { target } = it.region;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    signal.throwIfAborted();
    const tick = await it.tick();
    if (tick.moved) continue;
    const folded = tick.rollout === undefined ? undefined : await readRollout(it.api.log, tick.rollout);
    if (folded?.planned === undefined) {
      const [latest] = await it.api.log.list(1);
      const refused = latest && (await readRollout(it.api.log, latest.rollout));
      const because = refused !== undefined && "because" in refused.first ? refused.first.because : "";
      throw new SimulationRefused(`this release cannot be rolled out: ${because}`);
    }
    if (endOf(folded.planned.rollout.phase) !== undefined) return folded;
    for (const { drive, timeMs } of tick.waits)
      if (drive) await it.api.time.waitUntil(target, timeMs, signal);
  }
  throw new SimulationRefused(`there is no verdict after ${PASSES_MAX} passes of the controller`);
}

function endOf(phase: Phase): SeedRollout["ended"] | undefined {
  if (phase.phase === "awaitingPromotion") return "promotable";
  if (phase.phase === "inconclusive") return "undecided";
  if (phase.phase !== "rollingBack" && phase.phase !== "done") return undefined;
  return phase.outcome === "halted" ? "halted" : "failed";
}

type Decision = Omit<SeedRollout, "seed" | "wallSeconds">;

async function decisionOf(it: DrivenRollouts, folded: FoldedRollout): Promise<Decision> {
  const planned = folded.planned;
  const state = planned?.rollout.targets[DRIVEN.name];
  const phase = planned?.rollout.phase;
  invariant(
    planned !== undefined && state !== undefined && phase !== undefined,
    "a rollout without its target",
  );
  const ended = endOf(phase) ?? "failed";
  const shape = { ended, by: undefined, metrics: [], guard: null, exposed: state.exposed.length };
  if (ended === "halted" && state.verdict?.verdict !== "HALT") {
    const elapsedMs = (planned.rollout.now[DRIVEN.name] ?? 0) - (state.assignedAtMs ?? 0);
    return { ...shape, by: "arrival", because: becauseOf(phase), elapsedMs };
  }
  const because = state.verdict?.because ?? becauseOf(phase);
  const elapsedMs = state.verdict?.elapsedMs ?? 0;
  if (ended !== "halted") return { ...shape, because, elapsedMs };
  return { ...shape, ...(await haltOf(it, folded)), because, elapsedMs };
}

const becauseOf = (phase: Phase): string => ("because" in phase ? phase.because : "");

/** What made the judge halt, in the order in which it asks. */
async function haltOf(
  { api }: DrivenRollouts,
  folded: FoldedRollout,
): Promise<Pick<SeedRollout, "by" | "metrics" | "guard">> {
  const policy = parsePolicy(folded.planned?.record.policy ?? "");
  const { bundle } = await keptBundle(api.kept, folded, policy, DRIVEN.name);
  const last = bundle.looks.at(-1);
  const arrangement = arrange(bundle);
  invariant(last !== undefined && typeof arrangement !== "string", "it was halted without evidence");
  const key = verdictKey(folded.id, DRIVEN.name, last.elapsedMs);
  const verdict = await api.kept.read(key, Verdict);
  invariant(verdict !== undefined, `${key} was kept`);
  const named = (names: readonly string[]) => verdict.metrics.filter(({ metric }) => names.includes(metric));
  if (verdict.guard?.tripped === true) return { by: "guard", metrics: [], guard: verdict.guard };
  const broken = brokenLimits(bundle.metrics, last, arrangement).filter(({ baselineToo }) => !baselineToo);
  if (broken.length > 0)
    return { by: "limit", metrics: named(broken.map(({ metric }) => metric.name)), guard: null };
  const { halt } = compareArms(bundle, arrangement);
  const metrics = named((halt?.metrics ?? []).map(({ metric }) => metric.name));
  return { by: "comparison", metrics, guard: null };
}
