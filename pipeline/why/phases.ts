import type { Look } from "../judge/bundle.ts";
import type { Verdict } from "../judge/verdict.ts";
import type { RolloutRecord } from "../controller/audit.ts";
import type { Outcome, Phase } from "../rollout/state.ts";
import type { Entry } from "./entry.ts";

/** Where a rollout is: what that means, and the command that makes sense then. */
export const phases: Readonly<
  Record<Phase["phase"], { readonly what: string; readonly next: (rollout: string) => string }>
> = {
  planned: {
    what: "its fleets have to be quiet for their pre-period, and in their maintenance window, before a canary is drawn",
    next: (id) =>
      `It goes on by itself; \`coalmine rollout show ${id}\` says how far it is, and \`coalmine rollout plan\` what its canary can find.`,
  },
  drawing: {
    what: "the canary is drawn and moved into its group",
    next: (id) => `It goes on by itself; \`coalmine rollout show ${id}\` says how far it is.`,
  },
  canary: {
    what: "the canary is told to take the release",
    next: (id) =>
      `It goes on when enough of the canary report the release; \`coalmine rollout rollback ${id} --reason …\` takes it back.`,
  },
  soaking: {
    what: "the canary runs the release, and is compared with the devices that do not",
    next: (id) =>
      `It can be promoted once every target's verdict is PROMOTE: \`coalmine rollout show ${id}\` says how far it is. What cannot wait for that, two people let through with --emergency.`,
  },
  awaitingPromotion: {
    what: "every target's verdict is PROMOTE",
    next: (id) =>
      `\`coalmine rollout promote ${id} --reason …\` promotes it, \`coalmine rollout rollback ${id} --reason …\` takes it back.`,
  },
  waves: {
    what: "it is promoted, and the main fleets follow in waves",
    next: (id) => `It is promoted and on its way: \`coalmine rollout show ${id}\`.`,
  },
  verifying: {
    what: "every wave has it, and each device has to report it",
    next: (id) => `It is promoted and on its way: \`coalmine rollout show ${id}\`.`,
  },
  held: {
    what: "a person holds it, and nothing but HALT moves it",
    next: (id) => `\`coalmine rollout resume ${id} --reason …\` lets it go on.`,
  },
  inconclusive: {
    what: "the judge could not decide, so a person has to",
    next: (id) =>
      `The judge could not decide; \`coalmine why ${id}\` says what is missing and what would settle it, then promote or roll back.`,
  },
  rollingBack: {
    what: "the last good release is brought back to every device that may have this one",
    next: (id) => `It ends when every device reports the last good release: \`coalmine rollout show ${id}\`.`,
  },
  done: {
    what: "it has ended",
    next: () => "It has ended; push again for another rollout.",
  },
};

/** What the judge says of a target. */
export const verdicts: Readonly<Record<Verdict["verdict"], Entry>> = {
  PROMOTE: ["harm beyond the margins is ruled out", "it may be promoted once all targets say so"],
  HALT: ["harm is shown, or devices fail outright", "it is rolled back without anybody's doing"],
  WAIT: ["neither harm nor its absence is shown yet", "the next look comes by itself"],
  INCONCLUSIVE: [
    "the time is up, and neither harm nor its absence is shown",
    "a person decides by what would settle it; a larger canary or a longer horizon settles it next time",
  ],
};

/** How a rollout ended. */
export const outcomes: Readonly<Record<Outcome, Entry>> = {
  promoted: ["every device was given the release", "there is nothing to do"],
  halted: [
    "the release was taken back everywhere",
    "look at the evidence with `coalmine judge export`, correct it, and push again",
  ],
  inconclusive: [
    "nobody and nothing decided in time, and the release was taken back",
    "look at what would have settled it, give the canary more devices or time in the policy, and push again",
  ],
  failed: [
    "the rollout could not be carried out",
    "remove what stood in its way, look at the devices that are named, and push again",
  ],
  superseded: ["a newer push took its place", "follow that one: `coalmine rollout list`"],
};

type Unplanned = Exclude<RolloutRecord["kind"], "planned" | "told" | "override">;

/** Why a push never became a rollout. */
export const beginnings: Readonly<Record<Unplanned, Entry>> = {
  refused: ["no plan could be made, and no device was touched", "do what its sentence says, and push again"],
  nothingToDo: ["the fleets run all of it already", "there is nothing to do"],
  installedFirst: [
    "it was the first release of these fleets, and went to all",
    "push a change, and it is compared",
  ],
};

/** How a device fails outright, for the judge's guard. */
export const failures: Readonly<Record<Look["failing"][number]["how"], Entry>> = {
  crashLoop: ["a component starts again and again", "read its log on the device"],
  unhealthy: ["its health is failed", "look at the components that are BROKEN there"],
  silent: ["it is connected and sends no heartbeat", "look at stream-uploader's log on the device"],
};
