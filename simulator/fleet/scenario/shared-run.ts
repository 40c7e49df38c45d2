import type { Outcome, ToRun } from "./run-wire.ts";
import type { Scenario } from "./scenario.ts";
import { type Usage, watchedRun, type Watching } from "./watched-run.ts";
import { whole } from "./outcome.ts";

/**
 * What a process can hold and stay quick. What a device leaves behind in its minute lies in memory until the minute of the
 * last device of its process is played: of many it outlives the young space, and is collected at many times the price.
 */
const AT_A_TIME_MAX = 50;

/**
 * Plays one fleet in as many processes: each has the whole cloud, and every so many-th device, fifty at a time. Devices meet
 * only in their cloud, and what one does there changes nothing for another; so the log of it all is that of a single process.
 */
export async function sharedRun(told: ToRun, watching: Watching, processes: number): Promise<Outcome> {
  const of = Math.min(processes, told.devices);
  if (of === 1) return watchedRun(told, watching);
  const turns = turnsOf(told.devices, of);
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
    return whole(await Promise.all(parts));
  } catch (failure) {
    // Nobody waits for what the others would find.
    abandoned.abort();
    await Promise.allSettled(parts);
    throw failure;
  }
}

/** How often each of so many processes begins anew, with devices that were not played yet. */
export function turnsOf(devices: number, processes: number): number {
  return Math.ceil(devices / (processes * AT_A_TIME_MAX));
}

/** Why one process has to play the whole fleet; undefined where several can. */
export function indivisible({ faults, expect }: Pick<Scenario, "faults" | "expect">): string | undefined {
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
