import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Metric, type Pair } from "./bundle.ts";
import { draw } from "./draw.ts";
import { binomialBound } from "./trials.ts";
import { judgeStep, type StepFinding, type WaveStep } from "./wave-step.ts";

const HOUR_MS = 3_600_000;
const metrics = [
  Metric.parse({ name: "heartbeats", kind: "liveness", direction: "up", role: "halting" }),
  Metric.parse({ name: "failed windows", kind: "ratio", direction: "up", role: "halting" }),
];
const devices = Array.from({ length: 80 }, (_, index) => ({
  thing: `t${index}`,
  stratum: index < 20 ? "small" : "large",
  cluster: `t${index}`,
}));

interface Course {
  readonly seed: string;
  readonly ratio?: number;
  readonly sizes?: readonly number[];
  readonly alpha?: number;
}

/**
 * One wave after the other in a fleet whose devices differ, whose errors drift and which is shocked in every wave alike;
 * ends at a halt. Errors of devices that have the release are multiplied by `ratio`.
 */
function waves({ seed, ratio = 1, sizes = [10, 10, 20, 20], alpha = 0.05 }: Course) {
  const random = new SeededRandom(seed);
  const normal = () => Array.from({ length: 12 }, () => random.next()).reduce((sum, one) => sum + one, -6);
  const rate = devices.map(() => 0.05 * Math.exp(0.7 * normal()));
  const { order } = draw(devices, 1, seed);
  const count = (windows: number, chance: number): Pair => [
    Array.from({ length: windows }, () => (random.next() < chance ? 1 : 0)).reduce<number>(
      (a, b) => a + b,
      0,
    ),
    windows,
  ];
  const before = { "failed windows": rate.map((one) => count(120, Math.min(1, one))) };
  const found: StepFinding[] = [];
  for (let wave = 0, at = 0; wave < sizes.length; at += sizes[wave++] ?? 0) {
    const earlier = order.slice(0, at);
    const joined = order.slice(at, at + (sizes[wave] ?? 0));
    const has = new Set([...earlier, ...joined]);
    const shock = Math.exp(0.5 * normal());
    const step: WaveStep = {
      joined,
      earlier,
      before,
      look: {
        elapsedMs: HOUR_MS,
        values: {
          heartbeats: devices.map(() => [60, 60]),
          "failed windows": devices.map(({ thing }, index) =>
            count(60, Math.min(1, (rate[index] ?? 0) * shock * (has.has(thing) ? ratio : 1))),
          ),
        },
        updated: joined,
        failing: [],
      },
      seed: `${seed}/wave ${wave}`,
      alpha,
      draws: 199,
      waves: sizes.length,
      found: [...found],
    };
    const judged = judgeStep(devices, metrics, step);
    found.push(judged.finding);
    if (judged.halting !== undefined) return { halted: wave, because: judged.halting, found, step };
  }
  return { halted: undefined, because: undefined, found, step: undefined };
}

test("an unchanged release is halted by its waves in at most alpha of all rollouts [judge-9.3] [judge-9.4]", () => {
  const runs = 300;
  const halts = Array.from({ length: runs }, (_, run) => waves({ seed: `unchanged ${run}` })).filter(
    ({ halted }) => halted !== undefined,
  );
  expect(halts.length).toBeLessThanOrEqual(binomialBound(runs, 0.05));
});

test("harm that no wave shows by itself is found over several [judge-9.4]", () => {
  const courses = Array.from({ length: 60 }, (_, run) => waves({ seed: `harm ${run}`, ratio: 1.5 }));
  const halted = courses.filter(({ halted: at }) => at !== undefined);
  expect(halted.length).toBeGreaterThanOrEqual(45);
  const alone = halted.filter(({ found }) => found.some(({ p }) => (p ?? 1) <= 0.05 / 4));
  expect(alone.length).toBeLessThan(halted.length);
  expect(halted.find(({ found }) => found.length > 1)?.because).toMatch(
    /^failed windows is \d.*× on the \d+ devices of this wave that of those still without the release, 60 min after they were told; \d waves together give p = .*, and 0\.013 halts\.$/,
  );
});

test("the same step gives the same finding, and what earlier waves found is all that it takes from them [judge-9.3]", () => {
  const { step } = waves({ seed: "harm 1", ratio: 3 });
  expect(step).toBeDefined();
  const again = judgeStep(devices, metrics, structuredClone(step!));
  expect(again).toEqual(judgeStep(devices, metrics, step!));
  // Devices of earlier waves belong to neither side: whatever they do changes nothing.
  const wild = structuredClone(step!);
  for (const [index, { thing }] of devices.entries())
    if (wild.earlier.includes(thing)) wild.look.values["failed windows"]![index] = [60, 60];
  expect(judgeStep(devices, metrics, wild)).toEqual(again);
});

test("a wave of which nothing is known, or that leaves nobody, adds nothing and halts nothing [judge-9.5]", () => {
  const { step } = waves({ seed: "harm 1", ratio: 3 });
  const nothing = { finding: { p: null, weight: 0 }, halting: undefined };
  const silent = structuredClone(step!);
  silent.look.values = {};
  expect(judgeStep(devices, metrics, silent)).toEqual(nothing);
  const last = { ...step!, joined: devices.map(({ thing }) => thing), earlier: [] };
  expect(judgeStep(devices, metrics, last)).toEqual(nothing);
});

test("harm that stands out and is too small to matter does not halt [judge-9.4]", () => {
  const demanding = metrics.map((metric) => ({ ...metric, minEffect: 50 }));
  const { step } = waves({ seed: "harm 1", ratio: 3 });
  expect(judgeStep(devices, demanding, step!)).toMatchObject({ halting: undefined });
});
