import { SWITCHING_ON_MS } from "../driven/switching-on.ts";
import { outcomeOf } from "./outcome.ts";
import type { Outcome, ToRun } from "./run-wire.ts";
import type { Scenario } from "./scenario.ts";
import { toldMs } from "./units.ts";
import { type Usage, watchedRun, type Watching } from "./watched-run.ts";

/**
 * What a process can hold and stay quick. What a device leaves behind in its minute lies in memory until the minute of the
 * last device of its process is played: of many it outlives the young space, and is collected at many times the price.
 */
export const AT_A_TIME = 50;

export interface Shares {
  readonly processes: number;
  /** Devices that a process plays at once. */
  readonly atATime: number;
}

/** One process that plays all devices at once, for what cannot be shared. */
export const unshared: Shares = { processes: 1, atATime: Number.MAX_SAFE_INTEGER };

/**
 * Plays one fleet in as many processes: each has the whole cloud, and every so many-th device, so many at a time. Devices meet
 * only in their cloud, and what one does there changes nothing for another; so the log of it all is that of a single process.
 */
export async function sharedRun(told: ToRun, watching: Watching, shares: Shares): Promise<Outcome> {
  const of = Math.min(shares.processes, told.devices);
  const turns = turnsOf(told.devices, { ...shares, processes: of });
  if (of * turns === 1) return watchedRun(told, watching);
  const { bounds, progress, used } = watching;
  const abandoned = new AbortController();
  const usages = Array.from({ length: of }, (): Usage => ({ processorMs: 0, bytes: 0 }));
  const parts = usages.map((_, index) =>
    watchedRun(
      { ...told, part: { index, of, turns } },
      {
        ...watching,
        signal: abandoned.signal,
        bounds: { time: bounds.time / of, memory: bounds.memory / of },
        progress: (sentence) => progress(`part ${index + 1} of ${of}: ${sentence}`),
        used: (usage) => {
          usages[index] = usage;
          used?.(sum(usages));
        },
      },
    ),
  );
  try {
    return outcomeOf(await Promise.all(parts));
  } catch (failure) {
    // Nobody waits for what the others would find.
    abandoned.abort();
    await Promise.allSettled(parts);
    throw failure;
  }
}

/** How often each of so many processes begins anew, with devices that were not played yet. */
export function turnsOf(devices: number, { processes, atATime }: Shares): number {
  const turns = Math.ceil(devices / (processes * atATime));
  // Each turn has a device at least.
  return Math.min(turns, Math.floor(devices / processes));
}

/** Why one process has to play the whole fleet at once; undefined where it can be shared. */
export function indivisible({
  fleet,
  faults,
  expect,
}: Pick<Scenario, "fleet" | "faults" | "expect">): string | undefined {
  if (fleet.joinWithin < SWITCHING_ON_MS)
    return `all devices are switched on within ${toldMs(fleet.joinWithin)}, which one cloud has to bear`;
  const whole = expect.find(({ ofWhole }) => ofWhole);
  if (whole !== undefined) return `"${whole.text}" is asked of the whole fleet`;
  const calls = faults.find((fault) => "service" in fault);
  if (calls !== undefined) return `a fault of the cloud (${calls.kind}) goes by the order of all calls`;
  const staged = faults.find(({ stage }) => stage !== undefined);
  return staged === undefined
    ? undefined
    : `a fault that waits for a stage (${staged.kind}) may meet any of the devices`;
}

function sum(usages: readonly Usage[]): Usage {
  return usages.reduce((all, { processorMs, bytes }) => ({
    processorMs: all.processorMs + processorMs,
    bytes: all.bytes + bytes,
  }));
}
