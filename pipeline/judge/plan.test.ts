import { expect, test } from "vitest";
import { Metric } from "./bundle.ts";
import { referenceFleet } from "./fleets.ts";
import { plan } from "./plan.ts";
import { quietHours } from "./trial.ts";
import { trialMetrics, trialPolicy, verdictsOf } from "./trials.ts";

const quiet = (devices: number, hours: number, seed: string) =>
  quietHours(referenceFleet, devices, hours, seed, trialMetrics);
const history = quiet(110, 96, "plan");
const input = { policy: trialPolicy, metrics: trialMetrics, canaryDevices: 10 };
/** So many draws that one can be retired in the first hour. */
const finer = { ...input, policy: { ...trialPolicy, draws: 9999 } };

test("the spread of the reference fleet falls with time, and with it what can be found [judge-6.1]", () => {
  const [errors] = plan(history, input).metrics;
  const { "6": quarter, "24": day } = errors?.detectableRatio ?? {};
  expect(quarter).toBeGreaterThan(day ?? Infinity);
  // By the closed formula, with the spread of 0.25 that this fleet has after a day, and half of alpha for each metric.
  expect(errors?.sd).toBeCloseTo(0.25, 1);
  expect(day).toBeCloseTo(Math.exp((3.418 * 0.25) / Math.sqrt(1000 / 110)), 1);
});

test("promises nothing before a draw can be retired: 2,000 draws give one after 72 minutes of a day [judge-6.1]", () => {
  expect(plan(history, input).metrics[0]?.detectableRatio["1"]).toBeNull();
  const ratios = plan(history, finer).metrics[0]?.detectableRatio;
  expect(ratios?.["1"]).toBeGreaterThan(ratios?.["6"] ?? Infinity);
});

test("what is too small to halt is not called detectable, however narrow the noise [judge-6.1]", () => {
  const coarse = trialMetrics.map((metric) => ({ ...metric, minEffect: 4 }));
  expect(plan(history, { ...input, metrics: coarse }).metrics[0]?.detectableRatio["24"]).toBeGreaterThan(4);
});

test("what history does not reach is not promised", () => {
  const short = quiet(20, 8, "short");
  const [errors] = plan(short, finer).metrics;
  expect(errors?.detectableRatio["24"]).toBeNull();
  expect(errors?.detectableRatio["1"]).toBeGreaterThan(1);
  expect(plan({ ...short, metrics: {} }, input)).toMatchObject({ unchanged: { promote: null } });
});

test("refuses to halt by comparison what can be drawn in too few ways [judge-6.2]", () => {
  const few = plan(quiet(8, 48, "few"), { ...input, canaryDevices: 2 });
  // 28 ways to draw 2 of 8.
  expect(few.smallestP).toBeCloseTo(1 / 28, 5);
  expect(few.haltByComparison).toMatchObject({
    possible: false,
    because: expect.stringContaining("above alpha"),
  });
  expect(few.unchanged.haltMax).toBe(0);
  expect(plan(history, input).haltByComparison).toEqual({ possible: true });
  const limits = { ...input, policy: { ...trialPolicy, judgedBy: "limits" as const } };
  expect(plan(history, limits).haltByComparison.possible).toBe(false);
});

test("says how many canary devices would promote an unchanged release", () => {
  const tight = [
    Metric.parse({ name: "errors", kind: "ratio", direction: "up", role: "halting", margin: 1.05 }),
  ];
  const [errors] = plan(history, { ...input, metrics: tight }).metrics;
  expect(errors?.clears).toBeLessThan(0.3);
  expect(errors?.canaryDevicesFor99).toBeGreaterThan(300);
});

test.each([
  [10, 100, 1.25],
  [5, 50, 1.5],
])(
  "planned and simulated chance of promotion agree for %i beside %i at a margin of %f [judge-6.3]",
  { timeout: 60_000 },
  (canary, baseline, margin) => {
    const runs = 150;
    const metrics = [
      Metric.parse({ name: "errors", kind: "ratio", direction: "up", role: "halting", margin }),
    ];
    const planned = plan(quiet(canary + baseline, 120, "p"), {
      ...input,
      metrics,
      canaryDevices: canary,
    });
    const promoted = verdictsOf(runs, "planned", { canary, baseline, looks: 1, metrics }).filter(
      ({ verdict }) => verdict === "PROMOTE",
    ).length;
    const simulated = promoted / runs;
    const twoErrors = 2 * Math.sqrt((simulated * (1 - simulated)) / runs);
    expect(Math.abs((planned.metrics[0]?.clears ?? 0) - simulated)).toBeLessThan(0.07 + twoErrors);
  },
);
