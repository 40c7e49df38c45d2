import { expect, test } from "vitest";
import { binomialBound, trialMetrics, verdictsOf } from "../trials.ts";

test("the interval contains the true ratio in about 95 % of rollouts [judge-2.8]", () => {
  const runs = 400;
  const truth = 1.5;
  const metrics = trialMetrics.slice(0, 1).map((metric) => ({ ...metric, role: "advisory" as const }));
  const missed = verdictsOf(runs, "interval", { errorRatio: truth, looks: 1, metrics }).filter(
    ({ metrics: [errors] }) => (errors?.ratioLow ?? 0) > truth || (errors?.ratioHigh ?? Infinity) < truth,
  ).length;
  expect(missed).toBeLessThanOrEqual(binomialBound(runs, 0.05));
  expect(missed).toBeGreaterThan(0);
});
