import type { Check } from "../evidence/checks.ts";
import { digestOf, mergedLog } from "./event-log.ts";
import type { Outcome, ToRun } from "./run-wire.ts";
import type { Scenario } from "./scenario.ts";
import { type Usage, watchedRun, type Watching } from "./watched-run.ts";

/**
 * Plays one fleet in as many processes: each has the whole cloud, and every so many-th device. Devices meet only in
 * their cloud, and what one does there changes nothing for another; so the log of it all is that of a single process.
 */
export async function sharedRun(told: ToRun, watching: Watching, processes: number): Promise<Outcome> {
  const of = Math.min(processes, told.devices);
  if (of === 1) return watchedRun(told, watching);
  const { bounds, progress, used } = watching;
  const abandoned = new AbortController();
  const usages = Array.from({ length: of }, (): Usage => ({ processorMs: 0, bytes: 0 }));
  const parts = usages.map((_, index) =>
    watchedRun(
      { ...told, part: { index, of } },
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
    return merged(await Promise.all(parts));
  } catch (failure) {
    // Nobody waits for what the others would find.
    abandoned.abort();
    await Promise.allSettled(parts);
    throw failure;
  }
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
