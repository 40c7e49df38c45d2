import { expect, test } from "vitest";
import type { Bundle, Pair } from "./judge/bundle.ts";
import { draw } from "./judge/draw.ts";
import { judge } from "./judge/judge.ts";
import { binomialBound } from "./judge/trials.ts";
import { driven, HOUR_MS, hostedFleet, policy } from "./policy.fixture.ts";
import { judging } from "./policy.ts";

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
