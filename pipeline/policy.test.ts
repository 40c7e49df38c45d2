import { expect, test } from "vitest";
import { pairOf, type DeviceTotals } from "./policy-evidence.ts";
import { fitPolicy } from "./policy-fit.ts";
import { driven, HOUR_MS, hostedFleet, policy, text } from "./policy.fixture.ts";
import { DurationMs, judging, parsePolicy } from "./policy.ts";

test("the file is read, and its targets are the home and the driven region", () => {
  expect(Object.keys(policy.targets)).toEqual(["home", "driven"]);
  expect(judging(policy, "home")).toMatchObject({ policy: { judgedBy: "limits" }, metrics: { length: 3 } });
  expect(driven).toMatchObject({ prePeriod: 24 * HOUR_MS, soak: 12 * HOUR_MS, canaryDevices: 10 });
});

test("promoting an unchanged release is planned with at least 99 % on fifty hosted devices", () => {
  const { devices, pairs } = hostedFleet("history", 48);
  const { plan, refusals } = fitPolicy(policy, "driven", { devices, bucketMs: HOUR_MS, metrics: pairs });
  expect(refusals).toEqual([]);
  expect(plan.unchanged.promote).toBeGreaterThanOrEqual(0.99);
});

test.each([
  [
    "an unknown counter",
    "counter: gaps,",
    "counter: gasp,",
    /sensorReader publishes no counter "gasp"; it has framesReceived/,
  ],
  [
    "an unknown metric",
    "[heartbeats, gaps per reading, refused points]",
    "[hartbeats]",
    /target home: unknown metric hartbeats/,
  ],
  [
    "more canaries than may be unjudged",
    "canaryDevices: 10",
    "canaryDevices: 11",
    /more than unjudgedDevicesMax \(10\)/,
  ],
  ["waves that do not end with all", "[0.25, 1]", "[0.25, 0.5]", /must rise and end with 1/],
  ["a soak past the horizon", "soak: 12 h", "soak: 19 h", /must end by the horizon/],
  [
    "an emergency that soaks for longer",
    "waveSoak: 10 min }",
    "waveSoak: 31 min }",
    /must not soak for longer than any other/,
  ],
  [
    "waves that nobody would look at",
    "pulseEvery: 5 min",
    "pulseEvery: 7 h",
    /must not be longer than the deadlines of a wave/,
  ],
  ["too few draws to spend alpha", "draws: 1999", "draws: 150", /at least 199 are needed/],
  ["a duration without a unit", "lookEvery: 1 h", "lookEvery: 60", /lookEvery/],
  ["a key that means nothing", "lookEvery: 1 h", "lookEvry: 1 h", /lookEvry/],
  [
    "limits without a limit",
    "metrics: [heartbeats, gaps per reading, refused points]",
    "metrics: [model run]",
    /none of its metrics has one/,
  ],
])("refuses %s, and says so", (_, from, to, sentence) => {
  expect(text).toContain(from);
  expect(() => parsePolicy(text.replace(from, to))).toThrow(sentence);
});

test("refuses what is not YAML", () => expect(() => parsePolicy("a: [")).toThrow(/not YAML/));

test("refuses, with arithmetic, what the fleet cannot show", () => {
  const { devices, pairs } = hostedFleet("history", 48);
  const history = { devices, bucketMs: HOUR_MS, metrics: pairs };
  const tight = parsePolicy(
    text.replace("minEffect: 1.2\n    margin: 1.5", "minEffect: 1.2\n    margin: 1.02"),
  );
  expect(fitPolicy(tight, "driven", history).refusals.join("\n")).toMatch(
    /margin of 1\.02 for "model run" is below what the fleet can show: .* \d+ canary devices or a larger margin would do/,
  );
  const few = { devices: devices.slice(0, 10), bucketMs: HOUR_MS, metrics: {} };
  const refusals = fitPolicy(policy, "driven", few).refusals.join("\n");
  expect(refusals).toMatch(/10 canary devices of a fleet of 10 leave no baseline/);
  expect(refusals).toMatch(/no history of "heartbeats"/);
  expect(fitPolicy(policy, "home", few).refusals).toEqual([]);
});

test("a device that says nothing of a component has no pair, and an expected heartbeat counts though none came", () => {
  const nothing: DeviceTotals = { heartbeats: { heard: 0, expected: 60 }, components: {} };
  expect(pairOf("heartbeats", nothing)).toEqual([0, 60]);
  expect(pairOf({ component: "inference", sum: "runMs" }, nothing)).toBeNull();
  const silent = {
    heartbeats: { heard: 30, expected: 60 },
    components: { sensorReader: { counters: { readings: 90 }, sums: {} } },
  };
  expect(pairOf({ component: "sensorReader", counter: "readings", per: "heartbeats" }, silent)).toEqual([
    90, 60,
  ]);
  expect(pairOf({ component: "sensorReader", counter: "gaps", per: "readings" }, silent)).toBeNull();
});

test("durations are read in their units", () => {
  expect(["30 s", "1.5 h", "7 d"].map((one) => DurationMs.parse(one))).toEqual([
    30_000, 5_400_000, 604_800_000,
  ]);
});
