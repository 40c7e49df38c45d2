import { readFileSync } from "node:fs";
import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import type { Bundle, Pair } from "./judge/bundle.ts";
import { draw } from "./judge/draw.ts";
import { judge } from "./judge/judge.ts";
import { binomialBound } from "./judge/trials.ts";
import { pairOf, type DeviceTotals } from "./policy-evidence.ts";
import { fitPolicy } from "./policy-fit.ts";
import { DurationMs, judging, metricsOf, parsePolicy, targetPolicy } from "./policy.ts";

const text = readFileSync(new URL("./policy.yaml", import.meta.url), "utf8");
const policy = parsePolicy(text);
const driven = targetPolicy(policy, "driven");
const metrics = metricsOf(policy, driven);
const HOUR_MS = 3_600_000;

/** An hour of a hosted device under the reference load; the release may put its calibration off. */
function hour(
  device: { faulty: boolean; pace: number },
  random: SeededRandom,
  calibrationOff: number,
): DeviceTotals {
  const down = device.faulty && random.next() < 0.15 ? random.below(40) : 0;
  const share = 1 - down / 60;
  const windows = Math.round(12 * share);
  const readings = Math.round(240 * share);
  const sum = (count: number, one: () => number) => ({
    sum: Array.from({ length: count }, one).reduce((a, b) => a + b, 0),
    count,
  });
  return {
    heartbeats: { heard: 60 - down, expected: 60 },
    components: {
      sensorReader: {
        counters: {
          readings,
          gaps: device.faulty ? random.below(4) : random.next() < 0.02 ? 1 : 0,
          framesReceived: readings + 4,
          framesRefused: random.next() < 0.1 ? 1 : 0,
        },
        sums: { controlResidual: sum(1, () => Math.abs(calibrationOff + 0.01 * random.normal())) },
      },
      inference: {
        counters: { windows, failed: 0, results: windows },
        sums: { runMs: sum(windows, () => 30 * device.pace * Math.exp(0.3 * random.normal())) },
      },
      streamUploader: {
        counters: { received: readings, refused: 0 },
        sums: { commitMs: sum(12, () => 4 * Math.exp(0.5 * random.normal())) },
      },
    },
  };
}

/** Fifty hosted devices, link faults on one in twenty, so many hours of pairs: metric → device → hour. */
function hostedFleet(
  seed: string,
  hours: number,
  offFrom = Infinity,
  canary: ReadonlySet<string> = new Set(),
) {
  const random = new SeededRandom(seed);
  const devices = Array.from({ length: 50 }, (_, index) => ({
    thing: `hosted-${index}`,
    stratum: "all",
    cluster: `hosted-${index}`,
    faulty: random.next() < 0.05,
    pace: Math.exp(0.1 * random.normal()),
  }));
  const pairs: Record<string, Pair[][]> = Object.fromEntries(
    metrics.map(({ name }) => [name, devices.map(() => [])]),
  );
  for (let at = 0; at < hours; at++)
    for (const [index, device] of devices.entries()) {
      const totals = hour(device, random, at >= offFrom && canary.has(device.thing) ? 0.03 : 0);
      for (const { name, of } of metrics) pairs[name]?.[index]?.push(pairOf(of, totals));
    }
  return { devices: devices.map(({ thing, stratum, cluster }) => ({ thing, stratum, cluster })), pairs };
}

function total(pairs: readonly Pair[]): Pair {
  const known = pairs.flatMap((pair) => (pair === null ? [] : [pair]));
  return known.length === 0
    ? null
    : [known.reduce((sum, [a]) => sum + a, 0), known.reduce((sum, [, b]) => sum + b, 0)];
}

function rollout(seed: string, calibrationOff: boolean): Bundle {
  const things = hostedFleet(seed, 0).devices;
  const { canary } = draw(things, driven.canaryDevices, seed);
  const { devices, pairs } = hostedFleet(seed, 36, calibrationOff ? 24 : Infinity, new Set(canary));
  const span = (from: number, to: number) =>
    Object.fromEntries(
      Object.entries(pairs).map(([name, list]) => [name, list.map((one) => total(one.slice(from, to)))]),
    );
  return {
    version: 1,
    rollout: "r",
    target: "driven",
    devices,
    draw: { how: "drawn", seed, canary: [...canary] },
    ...judging(policy, "driven"),
    before: span(0, 24),
    looks: Array.from({ length: 12 }, (_, look) => ({
      elapsedMs: (look + 1) * HOUR_MS,
      values: span(24, 25 + look),
      updated: [...canary],
      failing: [],
    })),
  };
}

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

test("an unchanged release is promoted when simulated, as planned", { timeout: 60_000 }, () => {
  const runs = 60;
  const held = Array.from({ length: runs }, (_, run) => judge(rollout(`same/${run}`, false))).filter(
    ({ verdict }) => verdict !== "PROMOTE",
  );
  expect(held.length, held.map(({ because }) => because).join("\n")).toBeLessThanOrEqual(
    binomialBound(runs, 0.01),
  );
});

test("a calibration that is 3 % off is found under noise of 1 %", { timeout: 60_000 }, () => {
  for (let run = 0; run < 20; run++)
    expect(judge(rollout(`off/${run}`, true))).toMatchObject({
      verdict: "HALT",
      because: expect.stringContaining("control residual"),
    });
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
