import { expect, test } from "vitest";
import type { Bundle, Pair } from "./judge/bundle.ts";
import { draw } from "./judge/draw.ts";
import { judge } from "./judge/judge.ts";
import { binomialBound } from "./judge/trials.ts";
import { canaryFor } from "./policy-canary.ts";
import { canaryDevices, HOUR_MS, hostedFleet, policy, text } from "./policy.fixture.ts";
import { judging, parsePolicy } from "./policy.ts";

function total(pairs: readonly Pair[]): Pair {
  const known = pairs.flatMap((pair) => (pair === null ? [] : [pair]));
  return known.length === 0
    ? null
    : [known.reduce((sum, [a]) => sum + a, 0), known.reduce((sum, [, b]) => sum + b, 0)];
}

/** What a release does to its canary. */
interface Harm {
  readonly calibrationOff?: boolean;
  /** Model runs take so many times as long. */
  readonly slower?: number;
}

function rollout(
  seed: string,
  { calibrationOff = false, slower = 1 }: Harm,
  by = policy,
  size = canaryDevices,
): Bundle {
  const things = hostedFleet(seed, 0).devices;
  const { canary } = draw(things, size, seed);
  const drawn = new Set(canary);
  const { devices, pairs } = hostedFleet(seed, 36, calibrationOff ? 24 : Infinity, drawn);
  const harmed = (name: string, device: number, pair: Pair): Pair =>
    pair !== null && name === "model run" && drawn.has(devices[device]?.thing ?? "")
      ? [pair[0] * slower, pair[1]]
      : pair;
  const span = (from: number, to: number) =>
    Object.fromEntries(
      Object.entries(pairs).map(([name, list]) => [
        name,
        list.map((one, device) => {
          const pair = total(one.slice(from, to));
          return from < 24 ? pair : harmed(name, device, pair);
        }),
      ]),
    );
  return {
    version: 1,
    rollout: "r",
    target: "driven",
    devices,
    draw: { how: "drawn", seed, canary: [...canary] },
    ...judging(by, "driven"),
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
  const held = Array.from({ length: runs }, (_, run) => judge(rollout(`same/${run}`, {}))).filter(
    ({ verdict }) => verdict !== "PROMOTE",
  );
  expect(held.length, held.map(({ because }) => because).join("\n")).toBeLessThanOrEqual(
    binomialBound(runs, 0.01),
  );
});

test("a calibration that is 3 % off is found under noise of 1 %", { timeout: 60_000 }, () => {
  for (let run = 0; run < 20; run++)
    expect(judge(rollout(`off/${run}`, { calibrationOff: true }))).toMatchObject({
      verdict: "HALT",
      because: expect.stringContaining("control residual"),
    });
});

/** The fleet's policy, sized by power; model runs halt from a small effect on. */
const sized = (canary: string, most = 12) =>
  parsePolicy(
    text
      .replace("canaryDevices: 10\n", `canaryDevices: ${canary}\n`)
      .replace("unjudgedDevicesMax: 10", `unjudgedDevicesMax: ${most}`)
      .replace("minEffect: 1.2\n    margin: 1.5", "minEffect: 1.02\n    margin: 1.5")
      .replace("draws: 1999", "draws: 999"),
  );
const past = hostedFleet("history", 48);
const history = { devices: past.devices, bucketMs: HOUR_MS, metrics: past.pairs };

test(
  "the fewest devices that find a harm on the fleet's past find it as often where nobody has looked [judge-6.5]",
  { timeout: 120_000 },
  async () => {
    const asked = sized('{ power: 0.8, ratio: 1.06, metrics: ["model run"] }');
    const canary = await canaryFor(asked, "driven", history);
    if (typeof canary === "string") throw new Error(canary);
    expect(canary.because).toMatch(
      /^\d+ of 50 devices find 1\.06× in "model run", the hardest to find, within the soak of 12 h in 4\d of 50 tries/,
    );
    expect(canary.devices).toBeGreaterThan(4);
    const runs = 30;
    const missed = Array.from({ length: runs }, (_, run) =>
      judge(rollout(`slow/${run}`, { slower: 1.06 }, asked, canary.devices)),
    ).filter(({ verdict }) => verdict !== "HALT").length;
    // Predicted within 7 points.
    expect(missed).toBeLessThanOrEqual(binomialBound(runs, 0.2 + 0.07));
  },
);

test("a canary that cannot find what is asked is refused, with the figures [judge-6.5]", async () => {
  const refused = async (canary: string, most?: number, of: typeof history = history) =>
    canaryFor(sized(canary, most), "driven", of);
  expect(await refused('{ power: 0.8, ratio: 1.06, metrics: ["model run"] }', 2)).toMatch(
    /^driven: 2 of 50 devices find 1\.06× in "model run", .* in \d+ of 50 tries on the fleet's own past, and 80 % are asked for; .*unjudgedDevicesMax is 2/,
  );
  expect(await refused("{ power: 0.9, ratio: 1.4 }")).toMatch(
    /"heartbeats" halts from 1\.5× on \(minEffect\), so no canary finds 1\.4× in it/,
  );
  const young = { ...history, metrics: {} };
  expect(await refused("{ power: 0.9, ratio: 3 }", 12, young)).toMatch(
    /there is no history of "heartbeats" to size a canary by; 24 h of it are needed, so let the fleet run/,
  );
  expect(await canaryFor(policy, "driven", young)).toMatchObject({ devices: canaryDevices });
  expect(() => sized('{ power: 0.9, ratio: 3, metrics: ["commit"] }')).toThrow(
    /canaryDevices is sized by "commit", which is none of its halting metrics; those are heartbeats, /,
  );
  expect(() => sized("{ power: 0.3, ratio: 3 }")).toThrow(
    /targets\.driven\.canaryDevices\.power is 0\.3, and must be at least 0\.5/,
  );
  expect(() =>
    parsePolicy(text.replace("canaryDevices: 1\n", "canaryDevices: { power: 0.9, ratio: 3 }\n")),
  ).toThrow(/judged by limits needs a number/);
});
