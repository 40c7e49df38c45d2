import { expect, test } from "vitest";
import type { ShownRollout } from "../../api/show.ts";
import { rolloutText } from "./show-text.ts";

const MINUTE_MS = 60_000;
const deadline = {
  target: "driven",
  name: "wave",
  atMs: 100 * MINUTE_MS,
  afterwards: "the next wave follows",
};
const shown: ShownRollout = {
  rollout: "r1",
  commit: "2222222bbbbb",
  startedMs: 0,
  phase: "waves",
  outcome: undefined,
  because: undefined,
  state: "",
  ageMs: 20 * MINUTE_MS,
  promotedBy: "ada and bo",
  emergency: { opened: { by: "ada", reason: "the alarm" }, completed: { by: "bo", reason: "seen it" } },
  outstanding: [],
  overrides: [{ stage: "rehearse", who: "eve", why: "a show" }],
  next: "It is on its way.",
  targets: [
    {
      target: "driven",
      sinceMs: 0,
      nowMs: 60 * MINUTE_MS,
      devices: { all: 16, canary: 2, exposed: 14 },
      byVersion: {},
      deadline: { ...deadline, inMs: 40 * MINUTE_MS },
      begins: { atMs: 90 * MINUTE_MS, inMs: 30 * MINUTE_MS, waitsFor: "window" },
      groups: [],
      stuck: undefined,
      watch: { verdict: "WELL", because: "None of 14 fails.", atMs: 55 * MINUTE_MS },
      verdict: { verdict: "PROMOTE", because: "All is well.", elapsedMs: 720 * MINUTE_MS },
      progress: {
        devices: {
          notTold: 2,
          told: 0,
          inProgress: 1,
          onCandidate: 2,
          back: 0,
          failed: 0,
          silent: 0,
          offline: 11,
        },
        stuck: Array.from({ length: 12 }, (_, index) => ({
          thing: `core-${index}`,
          stage: index === 11 ? ("inProgress" as const) : ("offline" as const),
          ageMs: (120 - index) * MINUTE_MS,
          deadline,
          next: "see to it",
        })),
        newcomers: [{ thing: "core-99", group: "coalmine-main", set: "lastGood" }],
      },
    },
  ],
};

test("a rollout is told line by line: where every device is, and of whatever is stuck its stage, age, deadline and what is next", () => {
  const lines = rolloutText(shown).split("\n");
  expect(lines.slice(0, 11)).toEqual([
    "r1 is waves since 20 min",
    "promoted by ada and bo",
    "ada wants it let through unjudged: the alarm",
    "bo wants it let through unjudged: seen it",
    "eve let it past rehearse: a show",
    "",
    "driven, 1970-01-01 01:00 on its clock",
    "  PROMOTE after 12 h: All is well.",
    "  its waves, WELL: None of 14 fails.",
    "  begins nothing for another 30 min, until 1970-01-01T01:30:00.000Z: its maintenance window is closed",
    '  deadline "wave" in 40 min: then the next wave follows',
  ]);
  expect(lines[11]).toBe(
    "  2 not told, 0 told, 1 in progress, 2 on the candidate, 0 back on the last good, 0 failed, 0 silent, 11 offline",
  );
  expect(lines[12]).toBe('  core-0: offline since 2 h (deadline "wave" in 40 min); see to it');
  expect(lines.slice(22)).toEqual([
    "  and 2 more, all with --json",
    "  1 joined since the plan: core-99 (coalmine-main, gets the last good)",
    "It is on its way.",
  ]);
});
