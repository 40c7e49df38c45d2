import type { Clock } from "@coalmine/ports";
import { Closing, InvariantError } from "@coalmine/runtime";
import { listRollouts } from "../../api/describe.ts";
import { readRollout, type FoldedRollout } from "../../pipeline/controller/folded.ts";
import { INSTALL_MS } from "../system/aging.ts";
import type { Places } from "../system/state.ts";
import { decisionOf, endOf, type Decision } from "./decision.ts";
import { startDrivenRollouts, type DrivenRollouts } from "./driven-rollouts.ts";
import type { Releases } from "./releases.ts";
import { SimulationRefused } from "./simulation-refused.ts";

/** What runs, what is rolled onto it, by which policy, and on how many devices. */
export interface Trial extends Releases {
  /** As text. */
  readonly policy: string;
  readonly devices: number;
}

/** How a release fared on one seed. */
export type SeedRollout = Decision & { readonly seed: string; readonly wallSeconds: number };

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
    return { ...(await decisionOf(it.api, folded)), seed, wallSeconds };
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
    if (folded?.planned === undefined) throw await refusal(it);
    if (endOf(folded.planned.rollout.phase) !== undefined) return folded;
    for (const { drive, timeMs } of tick.waits)
      if (drive) await it.api.time.waitUntil(target, timeMs, signal);
  }
  throw new InvariantError(`there is no verdict after ${PASSES_MAX} passes of the controller`);
}

/** Why the controller made no plan. */
async function refusal({ api }: DrivenRollouts): Promise<SimulationRefused> {
  const [latest] = await listRollouts(api, { limit: 1 });
  return new SimulationRefused(
    `this release cannot be rolled out: ${latest?.because ?? "its push came to nothing"}`,
  );
}
