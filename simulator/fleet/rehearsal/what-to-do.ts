import type { Check } from "../evidence/checks.ts";

/** The check that stands for what ended a scenario before it was over. */
export const CAME_TO_ITS_END = "the scenario came to its end";

/** What to do where a check does not hold, by its name. */
export const advice: Readonly<Record<string, string>> = {
  "nothing lost or doubled":
    "Follow one of the named points from the instrument to the lake: what it was acknowledged by, and what was on disk then. Acknowledge only what is synced, and name an object by its range.",
  "no gaps, nothing refused":
    "Compare what the sensor reader publishes with the measurement's schema and with the instrument's own sequence: a gap is a reading that it passed over, a refusal one that the uploader could not read.",
  "every window has its result":
    "Look for the first window without a result in the log of inference: a model that refuses its input, or a start that forgets the window that was under way.",
  "the control residual is as it was":
    "The candidate measures another value of the same control fluid: look at units, calibration and rounding between raw reading and published value.",
  "a window is scored in the time that it took":
    "The candidate asks its model more often, or waits more, for each window: compare runs per window before and after.",
  "a model run takes as long as it did":
    "The candidate's model is slower on this machine: compare its size and operators with the model that runs now.",
  "no component broken":
    "Read the named component's log from its last start: it failed more often than its lifecycle allows.",
  "no deployment failed":
    "Read the named device's deployment status: it says which component did not reach its state, and the nucleus went back by itself.",
  "logs hold no secrets":
    "Take the secret out of the named log line before anything else, and do not publish this build: its logs leave the device.",
  [CAME_TO_ITS_END]:
    "The sentence says what ended it. Where it names a component, read that component's lifecycle in its recipe and start it by hand from the artifact.",
};

/** Most urgent first: what is wrong, each with what to do; then how to see it again. */
export function whatToDo(checks: readonly Check[], repeat: string): string[] {
  const wrong = checks.filter(({ ok }) => !ok);
  if (wrong.length === 0)
    return [
      "Nothing. The pipeline publishes these very artifacts, and the canary devices get them next; from another branch it ends here.",
    ];
  return [
    ...new Set(wrong.map(({ name }) => advice[name] ?? `Find out why “${name}” does not hold.`)),
    `See it again, the same from the first event to the last: ${repeat}`,
    "Nothing was published and no device was touched. Mend it and push again; a new push is rehearsed anew.",
  ];
}
