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
  "no component ends by itself":
    "Read the named component's log before the end: it threw, or failed by its own decision. It comes back, and ends again.",
  "every component stops when it is told to":
    "The named component does not answer SIGTERM within 5 s: look at what its stop waits for, and give that wait an end.",
  "components say as much as they did":
    "Compare the messages by topic and the log lines of the named component: a timer that is too short, a loop, or a message that is never sent.",
  "work folders grow as they did":
    "Look what lies in the named component's work folder after an hour: what is uploaded or old has to go.",
  "files that were opened are closed":
    "Look for an open without its close in the named component, also where the work between them fails.",
  "a changed configuration counts at once":
    "The named component goes on by the configuration that it started with: it has to read it anew at each use.",
  "a heartbeat a minute and device":
    "Follow one heartbeat from its timer to IoT Core: without it nobody can tell a healthy device from a silent one.",
  "what is measured is what was measured":
    "Look at units, calibration and the order of columns between reading and lake, or at the model where the channel is a result. Where the change is meant, let this push past with a reason.",
  "objects lie where queries look for them":
    "The key of an object is its partition: dt= is the day of its points, thing= the device. Put them back, or change the tables first.",
  "every log line arrives whole":
    "Compare the named device's log file with its log stream: what was read twice, cut, or passed over where a line is not ASCII or a file is rotated.",
  "a reading costs the processor what it did":
    "Profile the candidate's component beside what runs now: something is done again for every reading.",
  "memory grows as it did":
    "Take two heap snapshots of the candidate an hour apart: what is there twelve times more is what is never let go.",
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
