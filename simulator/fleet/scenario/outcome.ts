import type { Check } from "../evidence/checks.ts";
import { digestOf, mergedLog } from "./event-log.ts";
import type { Outcome } from "./run-wire.ts";

/** The outcome of a fleet from those of its parts: every check of every part has to hold. */
export function outcomeOf(parts: readonly Outcome[]): Outcome {
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return first;
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
    log: [...log],
    faults: first?.faults ?? [],
  };
}
