import { expect, test } from "vitest";
import type { Verdict } from "./verdict.ts";
import { binomialBound, verdictsOf } from "./trials.ts";

const share = (verdicts: readonly Verdict[], verdict: Verdict["verdict"]) =>
  verdicts.filter((one) => one.verdict === verdict).length;

test(
  "halts an unchanged release in one of a hundred rollouts at most, at any of 48 looks [judge-2.1] [judge-2.8]",
  { timeout: 240_000 },
  () => {
    const runs = 200;
    const verdicts = verdictsOf({ runs, seed: "unchanged" });
    expect(share(verdicts, "HALT")).toBeLessThanOrEqual(binomialBound(runs, 0.01));
    // The same runs show that the interval keeps its promise: 95 % of them contain 1.
    const missed = verdicts.filter(({ metrics }) => {
      const [errors] = metrics;
      return (errors?.ratioLow ?? 0) > 1 || (errors?.ratioHigh ?? Infinity) < 1;
    });
    expect(missed.length).toBeLessThanOrEqual(binomialBound(runs, 0.05));
    expect(missed.length).toBeGreaterThan(0);
  },
);

test(
  "ten beside a hundred find half as many errors again within a day [judge-2.2]",
  { timeout: 120_000 },
  () => {
    const runs = 60;
    const halted = share(verdictsOf({ runs, errorRatio: 1.5, seed: "worse" }), "HALT");
    // At 95 % power so few misses, but for one time in a thousand.
    expect(runs - halted).toBeLessThanOrEqual(binomialBound(runs, 0.05));
  },
);

test(
  "clears a release at its margin in about one of twenty rollouts at most [judge-3.2]",
  { timeout: 120_000 },
  () => {
    const runs = 80;
    // Halting is switched off, or it would take most of these before the end.
    const advisory = {
      name: "errors",
      kind: "ratio",
      direction: "up",
      role: "advisory",
      minEffect: 1.1,
      margin: 1.5,
      negligible: 0,
    } as const;
    const promoted = share(
      verdictsOf({ runs, errorRatio: 1.5, looks: 1, metrics: [advisory], seed: "margin" }),
      "PROMOTE",
    );
    expect(promoted).toBeLessThanOrEqual(binomialBound(runs, 0.05));
  },
);

test("an outage of two fifths of both arms does not halt [judge-2.9]", { timeout: 120_000 }, () => {
  const runs = 30;
  const halted = share(verdictsOf({ runs, looks: 12, seed: "outage", trial: { outageShare: 0.4 } }), "HALT");
  expect(halted).toBeLessThanOrEqual(binomialBound(runs, 0.01));
});

test("three of five bricked canaries halt within three heartbeats of the third", () => {
  const [verdict] = verdictsOf({
    runs: 1,
    canary: 5,
    baseline: 50,
    looks: 288,
    seed: "brick",
    trial: { bricked: { canary: 3, atMs: 0 } },
  });
  expect(verdict).toMatchObject({ verdict: "HALT", elapsedMs: 4 * 300_000 });
  expect(verdict?.because).toContain("3 of 5 updated devices");
});
