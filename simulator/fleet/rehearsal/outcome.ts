import type { Clock } from "@coalmine/ports";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import type { Check } from "../evidence/checks.ts";
import type { Course } from "./course.ts";
import type { ScenarioCheck, ScenarioCourse } from "./report.ts";
import { CAME_TO_ITS_END } from "./what-to-do.ts";

/** What came of one scenario. */
export interface ScenarioOutcome {
  readonly checks: readonly ScenarioCheck[];
  /** Absent where it did not even begin. */
  readonly course?: ScenarioCourse;
}

/** Plays it to its end, or to a failure that names itself, which then is the one check there is. */
export async function played(
  scenario: { readonly name: string; readonly about: string },
  course: Course,
  wallClock: Clock,
  play: () => Promise<readonly Check[]>,
): Promise<ScenarioOutcome> {
  const beganMs = wallClock.monotonicMs();
  const checks = await play().catch((failure: unknown) => {
    if (!isNamedFailure(failure)) throw failure;
    return endedBy(failure).checks;
  });
  const seconds = Math.round((wallClock.monotonicMs() - beganMs) / 100) / 10;
  return {
    checks: checks.map((check) => ({ ...check, scenario: scenario.name })),
    course: { ...scenario, seconds, ...course.told() },
  };
}

/** What ended a rehearsal outside of any scenario. */
export function endedBy(failure: unknown): ScenarioOutcome {
  const found = isNamedFailure(failure) ? `${failure.code}: ${failure.message}` : messageOf(failure);
  return { checks: [{ scenario: "rehearsal", name: CAME_TO_ITS_END, ok: false, found }] };
}

export function isNamedFailure(failure: unknown): failure is CoalmineError {
  return failure instanceof CoalmineError;
}
