import { expect, test } from "vitest";
import { Metric, type Look, type Pair } from "./bundle.ts";
import { watch, type WaveSeen } from "./watch.ts";

const MINUTE_MS = 60_000;
const metrics = [
  Metric.parse({
    name: "heartbeats",
    kind: "liveness",
    direction: "up",
    role: "halting",
    limit: { above: 0.5, exposureMin: 3 },
  }),
  Metric.parse({
    name: "failed windows",
    kind: "ratio",
    direction: "up",
    role: "halting",
    limit: { above: 0.2, exposureMin: 20 },
  }),
];
const guard = { toleratedRate: 0.01, eValueMin: 1000 };
const devices = Array.from({ length: 20 }, (_, index) => ({
  thing: `t${index}`,
  stratum: "all",
  cluster: `t${index}`,
}));
const things = (from: number, until: number) => devices.slice(from, until).map(({ thing }) => thing);

/** Twelve of twenty were told and have it, unless a test says otherwise; all are well. */
function seen(change: {
  told?: string[];
  updated?: string[];
  failing?: string[];
  failed?: (index: number) => Pair;
  heard?: (index: number) => Pair;
}): WaveSeen {
  const { failed = () => [0, 40], heard = () => [10, 10] } = change;
  const look: Look = {
    elapsedMs: 10 * MINUTE_MS,
    values: {
      heartbeats: devices.map((_, index) => heard(index)),
      "failed windows": devices.map((_, index) => failed(index)),
    },
    updated: change.updated ?? things(0, 12),
    failing: (change.failing ?? []).map((thing) => ({ thing, how: "silent" })),
  };
  const told = change.told ?? things(0, 12);
  return { version: 1, rollout: "r", target: "driven", devices, told, metrics, guard, look };
}

test("a wave that is well is said to be, with what was counted [judge-9.1]", () => {
  expect(watch(seen({ failing: ["t3"] }))).toMatchObject({
    verdict: "WELL",
    because: "1 of 12 updated devices fail after 10 min, and no limit is broken.",
  });
});

test("the guard halts on devices of a wave that fail, and what the others suffer as well is tolerated [judge-9.1]", () => {
  const failing = ["t4", "t5", "t6", "t7"];
  expect(watch(seen({ failing }))).toMatchObject({
    verdict: "HALT",
    because: expect.stringMatching(/^4 of 12 updated devices crash, fail or fell silent after 10 min \(t4, /),
  });
  expect(watch(seen({ failing: [...failing, "t12", "t13", "t14"] })).verdict).toBe("WELL");
});

test("a limit halts by the level of all that have the release, unless the others are past it too [judge-9.1]", () => {
  // The canary is well: eight later devices are not.
  const failed = (index: number): Pair => (index >= 4 && index < 12 ? [16, 40] : [0, 40]);
  expect(watch(seen({ failed }))).toMatchObject({
    verdict: "HALT",
    because: "failed windows is 0.267 over 12 updated devices after 10 min, past its limit of 0.2.",
  });
  expect(watch(seen({ failed: () => [16, 40] })).verdict).toBe("WELL");
  const mute = (index: number): Pair => (index < 12 ? [3, 10] : [10, 10]);
  expect(watch(seen({ heard: mute })).because).toMatch(/^heartbeats is 0.7 over 12 updated devices/);
});

test("a device that was told and has not begun counts on neither side [judge-9.1]", () => {
  const waiting = { updated: things(0, 4), failing: things(4, 12) };
  expect(watch(seen(waiting))).toMatchObject({ verdict: "WELL", guard: { updated: 4, toleratedRate: 0.01 } });
  const failed = (index: number): Pair => (index >= 4 && index < 12 ? [40, 40] : [0, 40]);
  expect(watch(seen({ ...waiting, failed })).verdict).toBe("WELL");
});

test("with nobody left without the release the tolerated rate and the limits stand alone [judge-9.2]", () => {
  const all = { told: things(0, 20), updated: things(0, 20) };
  expect(watch(seen({ ...all, failing: things(0, 3) })).verdict).toBe("WELL");
  expect(watch(seen({ ...all, failing: things(0, 4) })).verdict).toBe("HALT");
  expect(watch(seen({ ...all, failed: () => [16, 40] })).verdict).toBe("HALT");
});

test("without any data nothing is halted, and the same seen twice says the same [judge-9.1]", () => {
  const nothing = seen({ failed: () => null, heard: () => null, updated: [] });
  expect(watch(nothing).verdict).toBe("WELL");
  expect(watch(structuredClone(nothing))).toEqual(watch(nothing));
});
