import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { killIfThere, startedBelow } from "../../simulator/fleet/process/process-tree.ts";
import type { Change } from "../../simulator/fleet/mutants/change.ts";
import { isAlive, MARK, places, type Places } from "../system/state.ts";
import { buildReleases } from "./releases.ts";
import { rollOnSeed, type SeedRollout } from "./seed-rollout.ts";

export interface Simulation {
  readonly at: Places;
  /** Undefined for a release that changes nothing but its versions. */
  readonly change: Change | undefined;
  /** As text. */
  readonly policy: string;
  readonly seeds: readonly string[];
  readonly devices: number;
  /** Regions that live at the same time, each a process that uses a core. */
  readonly regionsMax: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each seed's rollout as it is decided. */
  readonly told: (rollout: SeedRollout) => void;
}

/**
 * Rolls one release onto a fleet of hosted devices of its own for each seed, and gives what became of it in the
 * order of the seeds. What is built is built once.
 */
export async function simulate(simulation: Simulation): Promise<SeedRollout[]> {
  const { at, change, policy, seeds, devices, clock, told } = simulation;
  const all = join(at.base, "simulate");
  await endCutOffIn(all);
  const folder = join(all, String(process.pid));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const failed = new AbortController();
  const signal = AbortSignal.any([simulation.signal, failed.signal]);
  try {
    const trial = { ...(await buildReleases(at, folder, change)), policy, devices };
    const rollouts = new Map<string, SeedRollout>();
    const left = seeds.values();
    const worker = async (): Promise<void> => {
      for (const seed of left) {
        const base = join(folder, `seed-${seed}`);
        const own = places(at.root, { COALMINE_STATE: base, COALMINE_CACHE: at.cache });
        const rollout = await rollOnSeed(own, trial, seed, clock, signal);
        rmSync(base, { recursive: true, force: true });
        rollouts.set(seed, rollout);
        told(rollout);
      }
    };
    // The first that fails stops the others, and all of them close what they opened before the folder goes.
    await Promise.all(
      Array.from({ length: simulation.regionsMax }, () =>
        worker().catch((failure: unknown) => failed.abort(failure)),
      ),
    );
    signal.throwIfAborted();
    return seeds.flatMap((seed) => rollouts.get(seed) ?? []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends and removes what simulations left whose process was killed: a folder has the name of its process. */
async function endCutOffIn(all: string): Promise<void> {
  mkdirSync(all, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(all)) {
    if (isAlive(Number(name))) continue;
    for (const pid of await startedBelow(MARK, join(all, name))) killIfThere(pid);
    rmSync(join(all, name), { recursive: true, force: true });
  }
}
