import type { Release } from "../release/release-folder.ts";
import type { ScenarioOutcome } from "./outcome.ts";
import type { RehearsalReport, ScenarioCheck } from "./report.ts";
import { CAME_TO_ITS_END, whatToDo } from "./what-to-do.ts";

export function componentsOf(
  running: Release | undefined,
  candidate: Release,
): RehearsalReport["components"] {
  return candidate.components.map(({ component, version }) => {
    const before = running?.components.find((one) => one.component === component)?.version;
    return { component, ...(before === undefined ? {} : { running: before }), candidate: version };
  });
}

/** What the outcomes of all scenarios come to. */
export function reportOf({
  outcomes,
  devices,
  ...told
}: Pick<RehearsalReport, "commit" | "atMs" | "seconds" | "seed" | "repeat" | "components"> & {
  readonly outcomes: readonly ScenarioOutcome[];
  readonly devices: number;
}): RehearsalReport {
  const checks = outcomes.flatMap((outcome) => outcome.checks);
  return {
    ...told,
    passed: checks.every(({ ok }) => ok),
    verdict: verdictOf(checks, devices, outcomes.length),
    toDo: whatToDo(checks, told.repeat),
    checks,
    scenarios: outcomes.flatMap(({ course }) => (course === undefined ? [] : [course])),
  };
}

function verdictOf(checks: readonly ScenarioCheck[], devices: number, scenarios: number): string {
  const wrong = checks.filter(({ ok }) => !ok);
  const [first] = wrong;
  if (first === undefined)
    return `The candidate passes: all ${checks.length} checks hold on ${devices} devices${scenarios === 1 ? "" : `, in ${scenarios} scenarios`}.`;
  return first.name === CAME_TO_ITS_END
    ? `The candidate fails: ${first.found}.`
    : `The candidate fails ${wrong.length} of ${checks.length} checks, first "${first.name}": ${first.found}.`;
}
