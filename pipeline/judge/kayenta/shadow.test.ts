import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Metric, type Bundle, type Look, type Pair } from "../bundle.ts";
import { judge, judgeAlone } from "../judge.ts";
import { trial } from "../trial.ts";
import { trialOf } from "../trials.ts";
import { classify, defaultSettings } from "./classify.ts";
import { lagOneAutocorrelation, pointsOf } from "./points.ts";
import { score } from "./score.ts";
import { kayentaShadow } from "./shadow.ts";

const worse = trial(trialOf("worse", { canary: 5, baseline: 50, looks: 12, errorRatio: 4 }));

test("stands beside the verdict, marked as what it is [judge-7.1]", () => {
  expect(judge(worse)).toMatchObject({
    verdict: "HALT",
    kayentaShadow: {
      shadow: true,
      says: "Fail",
      score: 0,
      metrics: [
        {
          metric: "errors",
          class: "High",
          critical: true,
          muted: false,
          points: { canary: 12, baseline: 12 },
        },
        { metric: "heartbeats", critical: false, muted: false },
      ],
    },
  });
});

test("an advisory metric is classified, and left out of the score [judge-7.1]", () => {
  const [errors, heartbeats] = worse.metrics;
  if (errors === undefined || heartbeats === undefined) throw new Error("no such metrics");
  const advised = { ...worse, metrics: [{ ...errors, role: "advisory" as const }, heartbeats] };
  expect(kayentaShadow(advised)).toMatchObject({
    says: "Pass",
    score: 100,
    metrics: [{ class: "High", muted: true }, { class: "Pass" }],
  });
});

/** With a metric more, whose numbers leave the range of doubles. */
function withHuge(bundle: Bundle): Bundle {
  const huge = Metric.parse({ name: "huge", kind: "ratio", direction: "up", role: "halting" });
  return {
    ...bundle,
    metrics: [...bundle.metrics, huge],
    looks: bundle.looks.map((look) => ({ ...look, values: { ...look.values, huge: [[1e308, 1e-308]] } })),
  };
}

test("whatever is in it, the verdict beside it is the one without it [judge-7.3]", () => {
  for (const bundle of [worse, withHuge(worse), { ...worse, looks: [] }, { ...worse, metrics: [] }]) {
    const { kayentaShadow: shadow, ...verdict } = judge(bundle);
    expect(JSON.stringify(verdict)).toBe(JSON.stringify(judgeAlone(bundle)));
    expect(JSON.parse(JSON.stringify(shadow))).toEqual(shadow);
  }
});

test("what it throws becomes a sentence in it [judge-7.3]", () => {
  const broken = { ...worse, looks: [null] } as unknown as Bundle;
  expect(kayentaShadow(broken)).toEqual({
    shadow: true,
    says: null,
    because: expect.stringMatching(/^It failed: TypeError/),
  });
});

const ratio = Metric.parse({ name: "errors", kind: "ratio", direction: "up", role: "halting" });
const looks = (...values: readonly (readonly Pair[])[]): Look[] =>
  values.map((pairs, index) => ({
    elapsedMs: (index + 1) * 60_000,
    values: { errors: [...pairs] },
    updated: [],
    failing: [],
  }));

test("a point is what an arm's devices added since the look before [judge-7.4]", () => {
  const series = looks(
    [[1, 10], [9, 9], null],
    [
      [3, 20],
      [9, 9],
      [4, 40],
    ],
    [
      [3, 20],
      [9, 9],
      [4, 40],
    ],
    [[4, 21], [9, 9], null],
  );
  expect(pointsOf(ratio, series, [true, false, true])).toEqual([0.1, 6 / 50, Number.NaN, 1]);
  expect(pointsOf({ ...ratio, kind: "liveness" }, looks([[8, 10]]), [true])).toEqual([0.2]);
});

test("it says where points are fewer or more alike than its test takes them to be [judge-7.5]", () => {
  const shadow = kayentaShadow(worse);
  expect("warnings" in shadow && shadow.warnings).toEqual(
    expect.arrayContaining([
      "errors: 12 points, fewer than 50",
      expect.stringMatching(/^errors: lag-1 autocorrelation 0\.\d+, above 0\.1$/),
    ]),
  );
  const drifting = Array.from({ length: 200 }, (_, index) => index % 100);
  expect(lagOneAutocorrelation(drifting)).toBeGreaterThan(0.9);
  expect(lagOneAutocorrelation([1, -1, 1, -1, 1, -1])).toBeLessThan(0);
  expect(lagOneAutocorrelation([2, 2, 2, 2])).toBeUndefined();
});

/** Failures of a hundred of a metric that is the same on both sides; memory of one point of the one before it. */
function failedOfHundred(points: number, memory: number): number {
  const random = new SeededRandom(`${points}/${memory}`);
  const series = () => {
    let value = random.normal();
    return Array.from({ length: points }, () => {
      value = memory * value + Math.sqrt(1 - memory * memory) * random.normal();
      return 10 + value;
    });
  };
  const runs = 1000;
  let failed = 0;
  for (let run = 0; run < runs; run++)
    if (classify(series(), series(), defaultSettings).class !== "Pass") failed++;
  return (100 * failed) / runs;
}

test.each([
  ["two points a side", 2, 0, 23],
  ["ten points a side", 10, 0, 0.2],
  ["sixty points that are independent", 60, 0, 0.13],
  ["sixty points that each remember the one before", 60, 0.9, 46],
])(
  "of unchanged releases with %s it fails as many as its rule was measured to",
  (_, points, memory, known) => {
    const percent = failedOfHundred(points, memory);
    const error = Math.sqrt((known * (100 - known)) / 1000);
    expect(Math.abs(percent - known)).toBeLessThan(3.3 * error + 0.1);
  },
);

test("a lone critical metric whose test throws passes, as it does there", () => {
  const error = classify([Infinity], [1, 2], { ...defaultSettings, critical: true });
  expect(error).toEqual({ class: "Error", critical: false });
  const thresholds = { weights: {}, pass: 95, marginal: 75 };
  expect(score([{ group: "a", muted: false, ...error }], thresholds)).toEqual({ total: 100, says: "Pass" });
});

test("without data on either side it is left out, unless there must be some or a zero stands for it", () => {
  const noData = (changes: Partial<typeof defaultSettings>) =>
    classify([1, 2], [Number.NaN], { ...defaultSettings, ...changes });
  expect(noData({}).class).toBe("Nodata");
  expect(noData({ mustHaveData: true }).class).toBe("NodataFailMetric");
  expect(classify([], [], { ...defaultSettings, nan: "replaceByZero" }).class).toBe("Pass");
});
