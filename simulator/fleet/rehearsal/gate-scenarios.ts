import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { readScenario, scenarioNames } from "../scenario/read-scenario.ts";
import type { Outcome } from "../scenario/run-wire.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { watchedRun } from "../scenario/watched-run.ts";
import { endedBy, isNamedFailure, type ScenarioOutcome } from "./outcome.ts";
import type { Phase, PlannedFault, ScenarioCourse } from "./report.ts";

type Watched = Omit<ScenarioCourse, "name" | "about" | "seconds">;

/** Each in a process of its own: as many at once as the smallest machine that rehearses has cores. */
const AT_ONCE = 2;

/** `upgrade` is the upgrade alone, `default` what every push meets; `full` has those of every push too. */
export const gates = ["upgrade", "default", "full"] as const;
export type Gate = (typeof gates)[number];

/** The scenarios that a gate plays beside the upgrade. */
export function scenariosOf(gate: Gate): readonly string[] {
  if (gate === "upgrade") return [];
  return scenarioNames().filter((name) => {
    const its = readScenario(name).gate;
    return its === "default" || its === gate;
  });
}

/** Those that are played on hosted devices, and those on processes of this machine. */
export function byPlace(names: readonly string[]): Record<"hosted" | "process", readonly string[]> {
  const on = (place: "hosted" | "process") => names.filter((name) => readScenario(name).runsOn === place);
  return { hosted: on("hosted"), process: on("process") };
}

export interface GateOptions {
  readonly running: string;
  readonly candidate: string;
  readonly seed: string;
  readonly artifactFolder: string;
}

/** Plays each on its own fleet. One that fails or exceeds its bounds leaves the others alone. */
export async function gateScenarios(
  names: readonly string[],
  options: GateOptions,
  clock: Clock,
  progress: (sentence: string) => void,
): Promise<ScenarioOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), "courses-"));
  const outcomes = new Map<string, ScenarioOutcome>();
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      outcomes.set(name, await playedOne(name, join(folder, `${name}.json`), options, clock));
      progress(`scenario ${name} is played`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return names.flatMap((name) => outcomes.get(name) ?? []);
}

async function playedOne(
  name: string,
  course: string,
  { running, candidate, seed, artifactFolder }: GateOptions,
  clock: Clock,
): Promise<ScenarioOutcome> {
  const scenario = readScenario(name);
  const beganMs = clock.monotonicMs();
  try {
    const { devices } = scenario.fleet;
    const told = { scenario: name, running, candidate, devices, seed, artifactFolder, course };
    const { checks, faults } = await watchedRun(told, {
      clock,
      bounds: scenario.bounds,
      progress: () => undefined,
    });
    // Our own process wrote it a moment ago.
    const watched: Watched = JSON.parse(readFileSync(course, "utf8"));
    return {
      checks: checks.map((check) => ({ ...check, scenario: name })),
      course: courseOf(name, scenario, faults, watched, (clock.monotonicMs() - beganMs) / 1000),
    };
  } catch (failure) {
    if (!isNamedFailure(failure)) throw failure;
    return { checks: endedBy(failure).checks.map((check) => ({ ...check, scenario: name })) };
  }
}

/** What the run saw, with what its file had planned. */
function courseOf(
  name: string,
  { about, releases, lasts }: Scenario,
  faults: Outcome["faults"],
  watched: Watched,
  seconds: number,
): ScenarioCourse {
  const { fromMs, toMs } = watched;
  const steps = releases.map((step) => ({
    what: "release" in step ? `The ${step.release} release is deployed` : `${step.configure} is configured`,
    fromMs: fromMs + step.at,
  }));
  const begins = [
    ...steps,
    { what: "Instruments rest, and what was measured arrives", fromMs: fromMs + lasts },
  ];
  return {
    ...watched,
    name,
    about,
    seconds: Math.round(seconds * 10) / 10,
    phases: begins.map((phase, index): Phase => ({
      ...phase,
      toMs: Math.min(toMs, begins[index + 1]?.fromMs ?? toMs),
    })),
    faults: faults.map((fault) => plannedFault(fault, fromMs)),
  };
}

/** A fault as `written` says it: durations are texts in ms. */
function plannedFault(fault: Outcome["faults"][number], fromMs: number): PlannedFault {
  const ms = (value: unknown): number | undefined =>
    typeof value === "string" && value.endsWith(" ms") ? Number.parseFloat(value) : undefined;
  const { kind, at, from, for: lasts, things, ...more } = fault;
  const began = fromMs + (ms(at) ?? ms(from) ?? 0);
  const forMs = ms(lasts);
  const details = Object.entries(more).map(([key, value]) => `${key} ${String(value)}`);
  return {
    what: [kind, ...details].join(", "),
    things: Array.isArray(things) ? things.map(String) : [],
    fromMs: began,
    ...(forMs === undefined ? {} : { toMs: began + forMs }),
  };
}
