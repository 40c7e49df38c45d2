import type { Check } from "../evidence/checks.ts";
import { digestOf, mergedLog } from "./event-log.ts";
import type { Outcome, ToRun } from "./run-wire.ts";
import type { Scenario } from "./scenario.ts";
import { type Usage, watchedRun, type Watching } from "./watched-run.ts";

/**
 * What a process can hold and stay quick. What a device leaves behind in its minute lies in memory until the minute of the
 * last device of its process is played: of many it outlives the young space, and is collected at many times the price.
 */
const PART_DEVICES_MAX = 50;

/**
 * Plays one fleet in so many processes at a time: each has the whole cloud, and every so many-th device. Devices meet only
 * in their cloud, and what one does there changes nothing for another; so the log of it all is that of a single process.
 */
export async function sharedRun(told: ToRun, watching: Watching, processes: number): Promise<Outcome> {
  const of = partsOf(told.devices, processes);
  if (of === 1) return watchedRun(told, watching);
  const { bounds, progress, used } = watching;
  const abandoned = new AbortController();
  const usages = Array.from({ length: of }, (): Usage => ({ processorMs: 0, bytes: 0 }));
  const use = (index: number, usage: Usage): void => {
    usages[index] = usage;
    used?.(sum(usages));
  };
  const outcomes: Outcome[] = [];
  const indices = usages.keys();
  const playNext = async (): Promise<void> => {
    for (const index of indices) {
      if (abandoned.signal.aborted) return;
      outcomes[index] = await watchedRun(
        { ...told, part: { index, of } },
        {
          ...watching,
          signal: abandoned.signal,
          bounds: { time: bounds.time / of, memory: bounds.memory / processes },
          progress: (sentence) => progress(`part ${index + 1} of ${of}: ${sentence}`),
          used: (usage) => use(index, usage),
        },
      );
      use(index, { processorMs: usages[index]?.processorMs ?? 0, bytes: 0 });
    }
  };
  const players = Array.from({ length: Math.min(processes, of) }, playNext);
  try {
    await Promise.all(players);
  } catch (failure) {
    // Nobody waits for what the others would find.
    abandoned.abort();
    await Promise.allSettled(players);
    throw failure;
  }
  return merged(outcomes);
}

/** One process alone plays all; of several each plays the same number of parts, one after the other. */
export function partsOf(devices: number, processes: number): number {
  if (processes === 1) return 1;
  const rounds = Math.ceil(devices / (processes * PART_DEVICES_MAX));
  return Math.min(devices, processes * rounds);
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

/** Every check of every part has to hold. */
function merged(parts: readonly Outcome[]): Outcome {
  const [first] = parts;
  const log = mergedLog(parts.map((part) => part.log ?? []));
  const checks = (first?.checks ?? []).map(({ name }, index): Check => {
    const own = parts.flatMap((part) => part.checks[index] ?? []);
    const found = new Set(own.map((check) => check.found));
    return { name, ok: own.every(({ ok }) => ok), found: [...found].join(" | ") };
  });
  return {
    checks,
    passed: parts.every(({ passed }) => passed),
    events: log.length,
    digest: digestOf(log),
    faults: first?.faults ?? [],
  };
}
