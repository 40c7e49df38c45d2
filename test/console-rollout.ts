import type { Level, MetricSeries, RolloutMetrics, RolloutPage } from "@coalmine/contract/operator-api";

export const NOW_MS = Date.UTC(2026, 10, 27, 14, 20);
export const MINUTE_MS = 60_000;
export const ROLLOUT = "r-20261127-1402-9f3ac1";
export const COMMIT = "9f3ac1d07b55e2aa41c07e6a0d2f9b1c33e8d410";
export const age = (ageMs: number, stale = false) => ({ atMs: NOW_MS - ageMs, ageMs, stale });

const waves = (number: number, share: number): RolloutPage["stages"][number] => ({
  stage: "wave",
  wave: { number, share },
  state: "next",
  targets: [],
});
const deadline = (name: string, inMs: number, afterwards: string) => ({
  name,
  atMs: NOW_MS + inMs,
  inMs,
  afterwards,
});
const stuck = {
  thing: "rheo-0003",
  stage: "download of artifacts",
  ageMs: 14 * MINUTE_MS,
  next: "Its link is slow: it has 71 % and goes on by itself; the deadline is in 46 min.",
};
export const waitsForSample = {
  for: "sample" as const,
  sinceMs: NOW_MS - 4 * MINUTE_MS,
  updateSinceMs: NOW_MS - 3 * MINUTE_MS,
};
/** Its update waits for what the device does. */
const waiting = {
  thing: "rheo-0002",
  stage: "inProgress",
  ageMs: 3 * MINUTE_MS,
  waits: waitsForSample,
  next: "its update waits for the sample that has been running on it since 2026-11-27 14:16 UTC",
};
const diff = {
  added: [{ name: "coalmine.model.BloodViscosity", to: "3.1.0" }],
  changed: [{ name: "coalmine.SensorReader", from: "1.4.2", to: "1.5.0" }],
  reconfigured: ["coalmine.Inference"],
  removed: [],
  unchanged: ["coalmine.StreamUploader", "coalmine.LogManager", "coalmine.NodeRuntime"],
};
const nothing = { added: [], changed: [], reconfigured: [], removed: [], unchanged: [] };

/** It waits for a person, and one device is stuck. */
export const rollout: RolloutPage = {
  rollout: ROLLOUT,
  commit: COMMIT,
  startedMs: NOW_MS - 78 * MINUTE_MS,
  phase: "awaitingPromotion",
  state: "state-0",
  ageMs: 78 * MINUTE_MS,
  targets: ["home", "driven"].map((target) => ({
    target,
    nowMs: NOW_MS,
    sinceMs: NOW_MS - 4 * MINUTE_MS,
    devices: { all: 40, canary: 6, exposed: 6 },
    byVersion: { candidate: 6, base: 34 },
    groups: [`coalmine-canary-${target}`, `coalmine-main-${target}`],
    verdict: {
      verdict: "PROMOTE" as const,
      because: "no metric is worse than its margin",
      elapsedMs: 42 * MINUTE_MS,
    },
  })),
  outstanding: [],
  overrides: [],
  next: "Promote it, or roll it back.",
  why: [
    "It waits for a person since 14:16: every target's verdict is PROMOTE.",
    "home, PROMOTE after 42 min: no metric is worse than its margin.",
    'driven advises: "run time" is 1.04 times the baseline (p = 0.03), and may not halt; weigh it before you promote.',
  ],
  headline: "The canary is well after 42 min on 12 of 80 devices: it waits for you to promote it.",
  seen: { home: age(4000), driven: age(21_000) },
  stages: [
    { stage: "planned", state: "done", targets: [] },
    {
      stage: "canary",
      state: "done",
      targets: ["home", "driven"].map((target) => ({
        target,
        devices: 6,
        arrived: 6,
        progress: 1,
        stuck: [],
      })),
    },
    {
      stage: "soak",
      state: "done",
      targets: ["home", "driven"].map((target) => ({
        target,
        devices: 6,
        arrived: 6,
        progress: 1,
        stuck: [],
      })),
    },
    {
      stage: "promotion",
      state: "now",
      targets: [
        {
          target: "home",
          devices: 6,
          arrived: 4,
          progress: 0.3,
          deadline: deadline("decision", 46 * MINUTE_MS, "it is rolled back"),
          stuck: [stuck, waiting],
        },
        {
          target: "driven",
          devices: 6,
          arrived: 6,
          progress: 0.3,
          deadline: deadline("decision", 46 * MINUTE_MS, "it is rolled back"),
          stuck: [],
        },
      ],
    },
    waves(1, 0.1),
    waves(2, 0.5),
    waves(3, 1),
    { stage: "verify", state: "next", targets: [] },
  ],
  choices: [
    {
      decision: "promote",
      reach: 68,
      targets: ["home", "driven"].map((target) => ({ target, reach: 34, of: 40, diff })),
      afterwards: "The first wave takes 10 % of each fleet; each wave is watched before the next.",
    },
    {
      decision: "hold",
      reach: 0,
      targets: [],
      afterwards: "It stays as it is until somebody lets it go on.",
    },
    {
      decision: "resume",
      refusedBecause: "it is not held",
      reach: 0,
      targets: [],
      afterwards: "It goes on from where it was held.",
    },
    {
      decision: "rollback",
      reach: 12,
      targets: ["home", "driven"].map((target) => ({
        target,
        reach: 6,
        of: 40,
        diff: { ...nothing, changed: [{ name: "coalmine.SensorReader", from: "1.5.0", to: "1.4.2" }] },
      })),
      afterwards: "Every canary goes back to 1.4.2, and has to report it.",
    },
  ],
};

function level(value: number, spread: number, devices: number): Level {
  return { level: value, low: value - spread, high: value + spread, devices };
}
function series(
  metric: string,
  base: number,
  ratio: number,
  more: Partial<MetricSeries> & Pick<MetricSeries, "status" | "sentence">,
  gap: readonly number[] = [],
): MetricSeries {
  return {
    metric,
    kind: "mean",
    direction: "up",
    role: "halting",
    limit: { above: base * 1.35 },
    minEffect: 1.2,
    margin: 1.1,
    p: 0.41,
    ratio,
    ratioLow: ratio - 0.03,
    ratioHigh: ratio + 0.03,
    looks: Array.from({ length: 21 }, (_, index) => {
      const wave = base * 0.03 * Math.sin(index * 1.3);
      return {
        atMs: NOW_MS - (21 - index) * 2 * MINUTE_MS,
        canary: gap.includes(index) ? null : level(base * ratio + wave, base * 0.06, 6),
        baseline: gap.includes(-index) && index > 0 ? null : level(base - wave / 2, base * 0.025, 34),
      };
    }),
    ...more,
  };
}

/** One is missing data in either arm. */
export const metrics: RolloutMetrics = {
  rollout: ROLLOUT,
  targets: [
    {
      target: "home",
      seen: age(4000),
      judgedBy: "comparison",
      arms: { canary: 6, baseline: 34 },
      metrics: [
        series(
          "run time (ms)",
          41,
          1.04,
          {
            status: "notEnough",
            role: "advisory",
            sentence:
              "Run time 42.6 ms vs 41.0 ms, difference +4 % (+1 … +7), allowed +10 %: not enough evidence yet.",
          },
          [8, 9, 10, -15, -16],
        ),
        series("sample time (s)", 4, 1.02, {
          status: "fine",
          sentence: "Sample time 4.1 s vs 4.0 s, difference +2 % (−1 … +5), allowed +10 %: fine.",
        }),
        series("windows failed", 0.01, 0.98, {
          status: "fine",
          kind: "ratio",
          sentence: "Windows failed 0.98 % vs 1 %, difference −2 % (−5 … +1), allowed +10 %: fine.",
        }),
      ],
    },
    {
      target: "driven",
      seen: age(21_000),
      judgedBy: "limits",
      arms: { canary: 6, baseline: 34 },
      metrics: [
        series("sample time (s)", 4, 1.01, {
          status: "fine",
          sentence: "Sample time 4.04 s, limit 5.4 s: fine.",
        }),
      ],
    },
  ],
};
