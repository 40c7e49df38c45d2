import { expect, test } from "vitest";
import { Bundle, JudgePolicy, Metric, type Look, type Pair } from "./bundle.ts";
import { judge } from "./judge.ts";
import { trial } from "./trial.ts";
import { trialOf } from "./trials.ts";

const HOUR_MS = 3_600_000;
const policy = JudgePolicy.parse({
  judgedBy: "comparison",
  soakMs: 12 * HOUR_MS,
  horizonMs: 24 * HOUR_MS,
  guard: {},
});

/** Fifty devices, ten of them canaries, an hour between looks; `values` says what each device shows by then. */
function bundleOf(
  metric: Partial<Metric> & { name: string },
  pair: (canary: boolean, hours: number, index: number) => Pair,
  changes: Partial<Bundle> = {},
  hours = 12,
): Bundle {
  const devices = Array.from({ length: 50 }, (_, index) => ({
    thing: `t${index}`,
    stratum: "all",
    cluster: `t${index}`,
  }));
  const canary = devices.filter((_, index) => index % 5 === 0).map(({ thing }) => thing);
  const at = (hours: number): Look => ({
    elapsedMs: hours * HOUR_MS,
    values: { [metric.name]: devices.map((_, index) => pair(index % 5 === 0, hours, index)) },
    updated: canary,
    failing: [],
  });
  return {
    version: 1,
    rollout: "r",
    target: "driven",
    devices,
    draw: { how: "drawn", seed: "s", canary },
    metrics: [Metric.parse({ kind: "ratio", direction: "up", role: "halting", margin: 1.5, ...metric })],
    policy,
    before: { [metric.name]: devices.map((_, index) => pair(false, 24, index)) },
    looks: Array.from({ length: hours }, (_, index) => at(index + 1)),
    ...changes,
  };
}

/** A spread over devices that lasts, and one that does not. */
const noise = (index: number, hours: number) =>
  1 + 0.2 * Math.sin(index) + 0.05 * Math.sin(7 * index + hours);

test("a difference that stands out more, and is too small to matter, hides no harm [judge-2.10]", () => {
  // Every canary sends a thousandth less of one thing, to the very digit; of another it sends a tenth, with some spread.
  const tiny = bundleOf({ name: "points", minEffect: 1.5 }, (canary, hours) => [
    0,
    (canary ? 20_520 : 22_190) * hours,
  ]);
  const harm = bundleOf(
    { name: "results", direction: "down", minEffect: 1.25, negligible: 0.02 },
    (canary, hours, index) => [canary && hours > 0 ? index % 3 : 11 * hours, 60 * hours],
  );
  const both: Bundle = {
    ...harm,
    metrics: [...tiny.metrics, ...harm.metrics],
    before: { ...tiny.before, ...harm.before },
    looks: harm.looks.map((look, index) => ({
      ...look,
      values: { ...tiny.looks[index]?.values, ...look.values },
    })),
  };
  const verdict = judge(both);
  expect(verdict).toMatchObject({ verdict: "HALT" });
  expect(verdict.because).toMatch(/^results is 0\.\d+×/);
});

test("promotes a release that is shown to change little [judge-3.1] [judge-5.2]", () => {
  const bundle = bundleOf({ name: "errors" }, (_, hours, index) => [
    20 * hours * noise(index, hours),
    1000 * hours,
  ]);
  const verdict = judge(bundle);
  expect(verdict.verdict).toBe("PROMOTE");
  expect(verdict.because).toMatch(
    /^All 1 guarded metrics .* on 10 canary and 40 baseline devices after 12 h; .*errors is [\d.]+× the baseline \(95 % interval [\d.]+× to [\d.]+×, p = [\d.]+\)\.$/,
  );
  expect(Bundle.parse(bundle)).toEqual(bundle);
});

test("does not promote before the soak, whatever it sees [judge-3.1] [judge-5.2]", () => {
  const verdict = judge(
    bundleOf(
      { name: "errors" },
      (_, hours, index) => [20 * hours * noise(index, hours), 1000 * hours],
      {},
      11,
    ),
  );
  expect(verdict).toMatchObject({
    verdict: "WAIT",
    because: expect.stringMatching(/at 12 h, and that would settle it/),
  });
});

const doubled = (canary: boolean, hours: number, index: number): Pair => [
  (canary && hours <= 12 ? 40 : 20) * hours * noise(index, hours),
  1000 * hours,
];

test("halts a release that doubles the errors, and says so in a sentence [judge-5.2]", () => {
  const verdict = judge(bundleOf({ name: "errors" }, doubled));
  expect(verdict.verdict).toBe("HALT");
  expect(verdict.because).toMatch(
    /errors is [\d.]+× the baseline \(95 % interval .*, p = 0.0005\), on 10 canary and 40 baseline devices after [\d.]+ h/,
  );
  expect(verdict.metrics[0]?.ratio).toBeGreaterThan(1.6);
});

test("does not halt below the smallest effect [judge-2.5]", () => {
  expect(judge(bundleOf({ name: "errors", minEffect: 3 }, doubled)).verdict).toBe("WAIT");
});

test("an advisory metric does not halt [judge-2.6]", () => {
  const verdict = judge(bundleOf({ name: "errors", role: "advisory" }, doubled));
  expect(verdict.verdict).toBe("WAIT");
  expect(verdict.because).toContain("at or past the margin");
});

test("liveness halts though it is called advisory [judge-2.6]", () => {
  const silent = (canary: boolean, hours: number, index: number): Pair => [
    60 * hours * (canary && hours <= 12 && index % 10 === 0 ? 0 : 0.97 + 0.01 * Math.sin(index)),
    60 * hours,
  ];
  const verdict = judge(
    bundleOf({ name: "heartbeats", kind: "liveness", role: "advisory", margin: 2 }, silent),
  );
  expect(verdict.verdict).toBe("HALT");
});

test("of a metric where less is harm, less halts and more does not", () => {
  const rate =
    (factor: number) =>
    (canary: boolean, hours: number, index: number): Pair => [
      20 * hours * noise(index, hours) * (canary && hours <= 12 ? factor : 1),
      hours,
    ];
  expect(judge(bundleOf({ name: "readings", direction: "down" }, rate(0.5)))).toMatchObject({
    verdict: "HALT",
    metrics: [{ ratioHigh: expect.closeTo(0.55, 1) }],
  });
  expect(judge(bundleOf({ name: "readings", direction: "down" }, rate(2))).verdict).toBe("PROMOTE");
});

test.each([0.4, 2.5])(
  "of a metric with two harmful directions, a factor of %f halts [judge-2.7]",
  (factor) => {
    const rate = (canary: boolean, hours: number, index: number): Pair => [
      20 * hours * noise(index, hours) * (canary && hours <= 12 ? factor : 1),
      10 * hours,
    ];
    expect(judge(bundleOf({ name: "rate", kind: "mean", direction: "either" }, rate)).verdict).toBe("HALT");
  },
);

test("zero everywhere promotes nothing without a negligible level [judge-3.4]", () => {
  const none = (_: boolean, hours: number): Pair => [0, 1000 * hours];
  expect(judge(bundleOf({ name: "errors" }, none)).verdict).toBe("WAIT");
  expect(judge(bundleOf({ name: "errors", negligible: 0.01 }, none)).verdict).toBe("PROMOTE");
  // 10 canaries × 12 h × 1 × 0.01 × (1 − 1/1.5) is less than half an event: that none came says nothing.
  const rare = (_: boolean, hours: number): Pair => [0, hours];
  expect(judge(bundleOf({ name: "errors", negligible: 0.01 }, rare)).verdict).toBe("WAIT");
});

test("numbers that stopped moving on three of ten canaries do not promote [judge-3.5]", () => {
  const stalled = (canary: boolean, hours: number, index: number): Pair => {
    const heard = canary && index < 15 ? Math.min(hours, 3) : hours;
    return [20 * heard * noise(index, 1), 1000 * heard];
  };
  const verdict = judge(bundleOf({ name: "errors" }, stalled));
  expect(verdict).toMatchObject({
    verdict: "WAIT",
    because: expect.stringContaining("7 of 10 canary devices have fresh data"),
  });
});

const byHand = (placebo?: { windows: number; halts: number }): Partial<Bundle> => ({
  draw: {
    how: "handPicked",
    seed: "s",
    canary: Array.from({ length: 10 }, (_, index) => `t${5 * index}`),
    ...(placebo === undefined ? {} : { placebo }),
  },
});

test("a canary picked by hand gives advice only [judge-3.6]", () => {
  expect(judge(bundleOf({ name: "errors" }, doubled, byHand()))).toMatchObject({
    verdict: "WAIT",
    advisory: true,
  });
  expect(judge(bundleOf({ name: "errors" }, doubled, byHand({ windows: 20, halts: 2 }))).verdict).toBe(
    "WAIT",
  );
  expect(judge(bundleOf({ name: "errors" }, doubled, byHand({ windows: 20, halts: 0 }))).verdict).toBe(
    "HALT",
  );
  const same = (_: boolean, hours: number, index: number): Pair => [
    20 * hours * noise(index, hours),
    1000 * hours,
  ];
  expect(judge(bundleOf({ name: "errors" }, same, byHand({ windows: 20, halts: 0 }))).verdict).toBe("WAIT");
});

test("a canary past an absolute limit halts, unless the baseline is past it too [judge-4.3]", () => {
  const limit = { above: 0.05, exposureMin: 20 };
  const rate =
    (canary: number, baseline: number) =>
    (isCanary: boolean, hours: number): Pair => [(isCanary ? canary : baseline) * hours, hours];
  const metric = { name: "residual", kind: "mean", limit } as const;
  expect(judge(bundleOf(metric, rate(0.06, 0.04)))).toMatchObject({
    verdict: "HALT",
    look: 1,
    because: expect.stringContaining("past its limit of 0.05"),
  });
  expect(judge(bundleOf(metric, rate(0.06, 0.06)))).toMatchObject({
    verdict: "WAIT",
    because: expect.stringContaining("in the baseline alike"),
  });
});

test("judged by limits, a small fleet promotes after the soak and with enough seen [judge-4.4]", () => {
  const limits = { policy: { ...policy, judgedBy: "limits" as const } };
  const metric = { name: "residual", kind: "mean", limit: { above: 0.05, exposureMin: 20 } } as const;
  const fine = (_: boolean, hours: number): Pair => [0.01 * hours, hours];
  expect(judge(bundleOf(metric, fine, limits)).verdict).toBe("PROMOTE");
  expect(judge(bundleOf(metric, fine, limits, 11)).verdict).toBe("WAIT");
  expect(judge(bundleOf(metric, (_, hours) => [0.0001 * hours, 0.01 * hours], limits)).verdict).toBe("WAIT");
  expect(judge(bundleOf(metric, () => null, limits)).verdict).toBe("WAIT");
  expect(judge(bundleOf({ name: "residual" }, fine, limits)).verdict).toBe("WAIT");
});

test("one of ten canaries that fails is too few to halt and too many to promote [judge-4.6]", () => {
  const same = (_: boolean, hours: number, index: number): Pair => [
    20 * hours * noise(index, hours),
    1000 * hours,
  ];
  const bundle = bundleOf({ name: "errors" }, same);
  const failing = (...indexes: readonly number[]): Bundle => ({
    ...bundle,
    looks: bundle.looks.map((look) => ({
      ...look,
      failing: indexes.map((index) => ({ thing: `t${index}`, how: "silent" as const })),
    })),
  });
  expect(judge(failing())).toMatchObject({ verdict: "PROMOTE" });
  expect(judge(failing(5))).toMatchObject({
    verdict: "WAIT",
    because: expect.stringContaining(
      "1 of 10 updated devices fail (t5), too few to halt and too many to promote",
    ),
  });
  // Of the forty others four fail as well: that is how this fleet is.
  expect(judge(failing(5, 1, 2, 3, 4))).toMatchObject({ verdict: "PROMOTE" });
});

test("at the deadline what is not decided is inconclusive, and what would settle it is said [judge-5.2]", () => {
  // The noise of this metric is far too large for its margin.
  const wild = (_: boolean, hours: number, index: number): Pair => [
    Math.exp(3 * Math.sin(17 * index + hours)) * hours,
    hours,
  ];
  const verdict = judge(bundleOf({ name: "runMs", kind: "mean", margin: 1.2 }, wild, {}, 24));
  expect(verdict.verdict).toBe("INCONCLUSIVE");
  expect(verdict.because).toMatch(/about \d+ canary devices instead of 10|past the margin/);
});

test("is the same to the byte however often it is asked [judge-5.1]", () => {
  const bundle = trial(trialOf("again", { canary: 5, baseline: 50, errorRatio: 1.3, looks: 12 }));
  const copy = Bundle.parse(JSON.parse(JSON.stringify(bundle)));
  expect(JSON.stringify(judge(copy))).toBe(JSON.stringify(judge(bundle)));
});

test("judges 48 looks at 110 devices within a second [judge-5.4]", () => {
  const bundle = trial(trialOf("speed"));
  judge(bundle);
  const before = process.cpuUsage();
  judge(bundle);
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1);
});
