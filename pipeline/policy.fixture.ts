import { readFileSync } from "node:fs";
import { invariant, SeededRandom } from "@coalmine/runtime";
import type { Pair } from "./judge/bundle.ts";
import { pairOf, type DeviceTotals } from "./policy-evidence.ts";
import { metricsOf, parsePolicy, targetPolicy } from "./policy.ts";

export const text = readFileSync(new URL("./policy.yaml", import.meta.url), "utf8");
export const policy = parsePolicy(text);
export const driven = targetPolicy(policy, "driven");
invariant(typeof driven.canaryDevices === "number", "the file draws a number of devices");
export const { canaryDevices } = driven;
export const HOUR_MS = 3_600_000;
const metrics = metricsOf(policy, driven);

/** An hour of a hosted device under the reference load; the release may put its calibration off. */
function hour(
  device: { faulty: boolean; pace: number },
  random: SeededRandom,
  calibrationOff: number,
): DeviceTotals {
  const down = device.faulty && random.next() < 0.15 ? random.below(40) : 0;
  const share = 1 - down / 60;
  const windows = Math.round(12 * share);
  const readings = Math.round(240 * share);
  const sum = (count: number, one: () => number) => ({
    sum: Array.from({ length: count }, one).reduce((a, b) => a + b, 0),
    count,
  });
  return {
    heartbeats: { heard: 60 - down, expected: 60 },
    components: {
      sensorReader: {
        counters: {
          readings,
          gaps: device.faulty ? random.below(4) : random.next() < 0.02 ? 1 : 0,
          framesReceived: readings + 4,
          framesRefused: random.next() < 0.1 ? 1 : 0,
        },
        sums: { controlResidual: sum(1, () => Math.abs(calibrationOff + 0.01 * random.normal())) },
      },
      inference: {
        counters: { windows, failed: 0, results: windows },
        sums: { runMs: sum(windows, () => 30 * device.pace * Math.exp(0.3 * random.normal())) },
      },
      streamUploader: {
        counters: { received: readings, refused: 0 },
        sums: { commitMs: sum(12, () => 4 * Math.exp(0.5 * random.normal())) },
      },
    },
  };
}

/** Fifty hosted devices, link faults on one in twenty, so many hours of pairs: metric → device → hour. */
export function hostedFleet(
  seed: string,
  hours: number,
  offFrom = Infinity,
  canary: ReadonlySet<string> = new Set(),
) {
  const random = new SeededRandom(seed);
  const devices = Array.from({ length: 50 }, (_, index) => ({
    thing: `hosted-${index}`,
    stratum: "all",
    cluster: `hosted-${index}`,
    faulty: random.next() < 0.05,
    pace: Math.exp(0.1 * random.normal()),
  }));
  const pairs: Record<string, Pair[][]> = Object.fromEntries(
    metrics.map(({ name }) => [name, devices.map(() => [])]),
  );
  for (let at = 0; at < hours; at++)
    for (const [index, device] of devices.entries()) {
      const totals = hour(device, random, at >= offFrom && canary.has(device.thing) ? 0.03 : 0);
      for (const { name, of } of metrics) pairs[name]?.[index]?.push(pairOf(of, totals));
    }
  return { devices: devices.map(({ thing, stratum, cluster }) => ({ thing, stratum, cluster })), pairs };
}
