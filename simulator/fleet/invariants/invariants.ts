import { brokenCheck, lakeCheck, logCheck, type Check } from "../evidence/checks.ts";
import type { LakeFindings } from "../evidence/lake.ts";
import type { LogFindings } from "../evidence/secrets.ts";
import type { WitnessedRegion } from "../evidence/witnessed-region.ts";
import type { Release } from "../release/release-folder.ts";
import { conductCheck } from "./conduct.ts";
import { diskCheck, memoryCheck, type HeapLook } from "./bounds.ts";
import { knownReleaseCheck } from "./known-release.ts";
import { waitCheck } from "./waits.ts";

/** A run that has come to its end, as far as invariants ask. */
export interface Observed extends WitnessedRegion {
  readonly beganMs: number;
  /** Every release that was deployed, or could be. */
  readonly releases: readonly Release[];
  readonly lake: LakeFindings;
  readonly logs: LogFindings;
  /** Components that something planted may bring to BROKEN. */
  readonly mayBreak: readonly string[];
  /** The process's live memory in the course of the run; without looks nothing is said of it. */
  readonly heap: readonly HeapLook[];
}

/** What holds in every run, whatever is planted in it. Each gives what was found, in words that the seed decides alone. */
export const invariants = {
  "nothing lost or doubled": ({ lake }) => lakeCheck(lake),
  "every device ends in a known release": knownReleaseCheck,
  "no component broken": ({ events, mayBreak }) => brokenCheck(events, mayBreak),
  "no wait without a deadline": waitCheck,
  "bounded disk": diskCheck,
  "bounded memory": memoryCheck,
  "only allowed topics and calls": conductCheck,
  "logs hold no secrets": ({ logs }) => logCheck(logs),
} as const satisfies Readonly<Record<string, (of: Observed) => Check | Promise<Check>>>;
export type InvariantName = keyof typeof invariants;

export async function invariantChecks(of: Observed): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const check of Object.values(invariants)) checks.push(await check(of));
  return checks;
}
