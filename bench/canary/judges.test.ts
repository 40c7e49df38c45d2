import { expect, test } from "vitest";
import { Metric, type Look, type Pair } from "../../pipeline/judge/bundle.ts";
import { trialPolicy } from "../../pipeline/judge/trials.ts";
import { argo, awsJobs, type BenchJudge, flagger, hawkbit, kayenta, ours } from "./judges.ts";
import type { Install } from "./installing.ts";
import { BASELINE_DEVICES, HOURS, LOOKS, rollout, type Rollout } from "./rollout.ts";
import { benchFleets } from "./scenarios.ts";
import { judgedBy } from "./score.ts";

const things = ["c1", "c2", "b1", "b2"];
const errors = Metric.parse({ name: "errors", kind: "ratio", direction: "up", role: "halting" });

/** Two canaries of four devices; `failed` of a hundred messages of the canary in each five minutes, 2 before. */
function dayOf(failed: (look: number) => number | undefined, installs: readonly Install[] = []): Rollout {
  let canary: Pair = [0, 0];
  const looks = Array.from({ length: LOOKS }, (_, index): Look => {
    const added = failed(index);
    if (added !== undefined) canary = [(canary?.[0] ?? 0) + added, (canary?.[1] ?? 0) + 100];
    const quiet: Pair = [2 * (index + 1), 100 * (index + 1)];
    return {
      elapsedMs: (index + 1) * 300_000,
      values: { errors: [canary, canary, quiet, quiet] },
      updated: [],
      failing: [],
    };
  });
  return {
    installs,
    bundle: {
      version: 1,
      rollout: "r",
      target: "t",
      devices: things.map((thing) => ({ thing, stratum: "all", cluster: thing })),
      draw: { how: "drawn", seed: "s", canary: ["c1", "c2"] },
      metrics: [errors],
      policy: trialPolicy,
      before: { errors: things.map((): Pair => [20, 1000]) },
      looks,
    },
  };
}

const minutes = (judge: BenchJudge, day: Rollout) => {
  const outcome = judge.judge(day);
  return outcome.kind === "halt" ? Math.round(outcome.atHours * 60) : outcome.kind;
};
const threshold = { everyLooks: 1, timesUsual: 2 };

test("Argo aborts at the fourth failed measurement of a metric, Flagger at the fifth failed check", () => {
  const four = dayOf((look) => (look % 10 === 0 && look < 40 ? 5 : 2));
  expect(minutes(argo(threshold), four)).toBe(31 * 5);
  expect(minutes(flagger(threshold), four)).toBe("pass");
  const five = dayOf((look) => (look % 10 === 0 && look < 50 ? 5 : 2));
  expect(minutes(flagger(threshold), five)).toBe(41 * 5);
});

test("for both, what is no number is a failure, and what is at the limit none", () => {
  const silent = dayOf((look) => (look < 3 ? 4 : undefined));
  expect(minutes(argo(threshold), silent)).toBe(7 * 5);
  expect(minutes(flagger(threshold), silent)).toBe(8 * 5);
  expect(
    minutes(
      argo(threshold),
      dayOf(() => 4),
    ),
  ).toBe("pass");
});

test("a measurement an hour is of what came in that hour", () => {
  const burst = dayOf((look) => (look >= 12 && look < 24 ? 50 : 2));
  expect(minutes(argo({ ...threshold, everyLooks: 12 }), burst)).toBe("pass");
  expect(
    minutes(
      argo({ ...threshold, everyLooks: 12 }),
      dayOf(() => 5),
    ),
  ).toBe(240);
});

const installs = (...outcomes: readonly Install["outcome"][]): Install[] =>
  outcomes.map((outcome, index) => ({ thing: `c${index}`, atHours: index / 60, outcome }));

test("an AWS job aborts once five executions have ended and the share has failed; silence ends after an hour", () => {
  const day = (...outcomes: readonly Install["outcome"][]) => dayOf(() => 2, installs(...outcomes));
  expect(minutes(awsJobs(40), day("failed", "failed", "succeeded", "succeeded"))).toBe("pass");
  expect(minutes(awsJobs(40), day("failed", "failed", "succeeded", "succeeded", "succeeded"))).toBe(5);
  expect(minutes(awsJobs(40), day("failed", "silent", "succeeded", "succeeded", "succeeded"))).toBe(65);
  expect(minutes(awsJobs(50), day("failed", "silent", "succeeded", "succeeded", "succeeded"))).toBe("pass");
});

test("hawkBit pauses where more than the share of the group reports an error; silence is none", () => {
  const failed = (count: number) =>
    dayOf(() => 2, installs(...Array.from({ length: count }, () => "failed" as const)));
  expect(minutes(hawkbit(50), failed(5))).toBe("pass");
  expect(minutes(hawkbit(50), failed(6))).toBe(5);
  const silent = installs(...Array.from({ length: 10 }, () => "silent" as const));
  expect(
    minutes(
      hawkbit(50),
      dayOf(() => 2, silent),
    ),
  ).toBe("pass");
});

test("Kayenta judges by the hour, from fifty points on", () => {
  expect(
    minutes(
      kayenta,
      dayOf((look) => 5 + (look % 3)),
    ),
  ).toBe(300);
  expect(
    minutes(
      kayenta,
      dayOf(() => 2),
    ),
  ).toBe("pass");
});

test("a simulated day has ten canaries, whose bricks show after a quarter of an hour", () => {
  const day = rollout(benchFleets.reference, { bricks: 1 }, "bricks");
  expect(day.bundle.draw.canary).toHaveLength(10);
  const first = day.installs.filter(({ atHours, outcome }) => atHours === 0 && outcome === "silent").length;
  const silent = day.bundle.looks.map(({ failing }) => failing.filter(({ how }) => how === "silent").length);
  expect(first).toBeGreaterThan(4);
  expect(silent.slice(0, 3)).toEqual([0, 0, first]);
  expect(minutes(ours, day)).toBe(15);
});

test("hours on the bad version are the canaries' until the halt, and everybody's where it is let through", () => {
  const halts = { ...ours, judge: () => ({ kind: "halt", atHours: 2 }) as const };
  const passes = { ...ours, judge: () => ({ kind: "pass" }) as const };
  const holds = { ...ours, judge: () => ({ kind: "hold" }) as const };
  const [halted, passed, held] = judgedBy([halts, passes, holds], benchFleets.reference, {}, "hours", 1).map(
    ([one]) => one?.deviceHours ?? 0,
  );
  expect(halted).toBeLessThanOrEqual(20);
  expect(halted).toBeGreaterThan(10);
  expect(held).toBeLessThanOrEqual(10 * HOURS);
  expect((passed ?? 0) - (held ?? 0)).toBeCloseTo(BASELINE_DEVICES * HOURS, 9);
});

test("a canary that a person picked is held, whatever shows", () => {
  expect(minutes(ours, rollout(benchFleets.handPicked, { errors: () => 3 }, "picked"))).toBe("hold");
});
