import { expect, test } from "vitest";
import { mergedLog } from "./event-log.ts";
import { parseScenario } from "./read-scenario.ts";
import { indivisible, turnsOf, unshared } from "./shared-run.ts";

test("the log of a fleet is by time, then by thing, and of one thing as it went", () => {
  const one = ["5.000 a takes off", "5.000 a lands", "17.250 a has power"];
  const other = ["4.000 b uploaded x", "5.000 b takes off", "100.000 b lands"];
  expect(mergedLog([other, one])).toEqual([other[0], one[0], one[1], other[1], one[2], other[2]]);
});

test.each([
  ["faults: [{ kind: cut, at: 1 s, for: 1 s, share: 0.5 }]", "no deployment fails", undefined],
  [
    "faults: [{ kind: error, service: s3, at: 1 s, for: 1 s }]",
    "no deployment fails",
    "a fault of the cloud (error) goes by the order of all calls",
  ],
  [
    "faults: [{ kind: kill-nucleus, stage: merging }]",
    "no deployment fails",
    "a fault that waits for a stage (kill-nucleus) may meet any of the devices",
  ],
  [
    "faults: []",
    "at least 1 points are marked clogged",
    '"at least 1 points are marked clogged" is asked of the whole fleet',
  ],
  [
    "fleet: { joinWithin: 1 s }",
    "no deployment fails",
    "all devices are switched on within 1 s, which one cloud has to bear",
  ],
])("what several processes cannot share says why: %s", (faults, expected, why) => {
  const scenario = parseScenario(`about: it\nlasts: 1 h\n${faults}\nexpect: [${expected}]\n`, "new.yaml");
  expect(indivisible(scenario)).toBe(why);
});

test.each([
  [1, 1, 50, 1],
  [60, 1, 50, 2],
  [100, 2, 50, 1],
  [101, 2, 50, 2],
  [1000, 2, 50, 10],
  [1000, 3, 50, 7],
  [3, 2, 1, 1],
  [1000, 1, unshared.atATime, 1],
])(
  "%i devices are played by %i processes, %i at a time, in %i turns",
  (devices, processes, atATime, turns) => {
    expect(turnsOf(devices, { processes, atATime })).toBe(turns);
  },
);
