import { expect, test } from "vitest";
import { costOf } from "./cost.ts";

test("each line's arithmetic gives its amount, and all of them the sum", () => {
  const { lines, usdMonth, devices } = costOf(100);
  const number = (text: string): number => Number(text.replaceAll(",", ""));
  for (const { what, arithmetic, usdMonth: told, source } of lines) {
    const [factors = "", result = ""] = arithmetic.split(" = ");
    const amount = factors
      .split(" × ")
      .reduce((product, factor) => product * number(factor.split(" ")[0] ?? ""), 1);
    const [, usd = "", per = "1"] = /× \$([\d.]+)(?: \/ ([\d,]+))?$/.exec(result) ?? [];
    expect((amount / number(per)) * number(usd), what).toBeCloseTo(told, 2);
    expect(amount / number(result.split(" ")[0] ?? ""), what).toBeCloseTo(1, 1);
    expect(source).toMatch(/^https:\/\/aws\.amazon\.com\//);
  }
  expect(lines.reduce((sum, line) => sum + line.usdMonth, 0)).toBeCloseTo(usdMonth, 6);
  expect(devices).toBe(100);
});

test("what belongs to devices grows with them, and what belongs to the fleet does not", () => {
  const [few, many] = [costOf(100), costOf(200)];
  const fleet = new Set([
    "rollout controller, running",
    "fleet metrics (component, version, cohort)",
    "alarms",
    "builds",
    "pipeline",
  ]);
  for (const [index, { what, usdMonth }] of few.lines.entries())
    expect(many.lines[index]?.usdMonth, what).toBeCloseTo(fleet.has(what) ? usdMonth : 2 * usdMonth, 9);
});
