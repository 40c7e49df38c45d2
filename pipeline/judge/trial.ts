import { SeededRandom } from "@coalmine/runtime";
import type { Bundle, JudgePolicy, Look, Metric, Pair } from "./bundle.ts";
import { draw } from "./draw.ts";
import type { FleetTraits } from "./fleets.ts";
import type { FleetHistory } from "./plan.ts";
import { SimulatedFleet } from "./simulated-fleet.ts";

export interface Trial {
  readonly traits: FleetTraits;
  readonly seed: string;
  readonly canary: number;
  readonly baseline: number;
  /** By how much the release multiplies the canary's first metric, from the assignment on. */
  readonly errorRatio: number;
  /** Of a whole day. */
  readonly looks: number;
  readonly metrics: readonly Metric[];
  readonly policy: JudgePolicy;
  /** How long it lasts after the assignment; a day where nothing is said. */
  readonly hours?: number;
  /** Canaries that fail, and when, in minutes since the assignment. Silence shows after three heartbeats. */
  readonly failing?: readonly { readonly how: "silent" | "crashLoop"; readonly atMinutes: number }[];
  /** Everybody of this share of both arms is out for the whole time after the assignment. */
  readonly outageShare?: number;
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** A heartbeat comes every five minutes at most: three of them are missed after a quarter of an hour. */
const HEARTBEAT_MINUTES = 5;

/** A day before and a day after an assignment, as the bundle that the judge would get at its last look. */
export function trial(options: Trial): Bundle {
  const { traits, seed, canary, baseline, looks, metrics, failing = [] } = options;
  const first = metrics[0]?.name;
  const isCanary = new Uint8Array(canary + baseline);
  const fleet = new SimulatedFleet({
    traits,
    count: canary + baseline,
    metrics,
    seed,
    fromHours: -DAY_HOURS,
    effect: (device, metric, hours) =>
      hours >= 0 && metric === first && isCanary[device] === 1 ? options.errorRatio : 1,
  });
  const { devices } = fleet;
  const drawn = draw(devices, canary, seed);
  const indexOf = new Map(devices.map(({ thing }, index) => [thing, index]));
  const things = drawn.canary.map((thing) => ({ thing, device: indexOf.get(thing) ?? -1 }));
  for (const { device } of things) isCanary[device] = 1;
  const fallen = failing.flatMap((failure, index) => {
    const fallen = things[index];
    return fallen === undefined ? [] : [{ ...failure, ...fallen }];
  });
  for (const { how, atMinutes, device } of fallen)
    if (how === "silent") fleet.silence(device, atMinutes / 60);
  const random = new SeededRandom(`${seed}/outage`);
  for (let device = 0; device < devices.length; device++)
    if (random.next() < (options.outageShare ?? 0)) fleet.silence(device, 0);
  fleet.liveUntil(0);
  const before = fleet.pairs()();
  fleet.forget();
  const out: Look[] = [];
  const count = Math.round((looks * (options.hours ?? DAY_HOURS)) / DAY_HOURS);
  for (let look = 1; look <= count; look++) {
    const hours = (look * DAY_HOURS) / looks;
    fleet.liveUntil(hours);
    const pairs = fleet.pairs();
    out.push({
      elapsedMs: Math.round(hours * HOUR_MS),
      get values() {
        return pairs();
      },
      updated: [...drawn.canary],
      failing: fallen
        .filter(({ how, atMinutes }) => {
          const shownAt = atMinutes + (how === "silent" ? 3 * HEARTBEAT_MINUTES : 0);
          return shownAt <= hours * 60 + 1e-6;
        })
        .map(({ thing, how }) => ({ thing, how })),
    });
  }
  return {
    version: 1,
    rollout: "trial",
    target: "simulated",
    devices: [...devices],
    draw: { how: "drawn", seed, canary: [...drawn.canary] },
    metrics: [...metrics],
    policy: options.policy,
    before,
    looks: out,
  };
}

/** Every so many looks of a trial, as though nobody had looked in between. */
export function everyNth(bundle: Bundle, n: number): Bundle {
  return { ...bundle, looks: bundle.looks.filter((_, index) => (index + 1) % n === 0) };
}

/** Hours of an undisturbed fleet, as the plan reads them. */
export function quietHours(
  traits: FleetTraits,
  count: number,
  hours: number,
  seed: string,
  metrics: readonly Metric[],
): FleetHistory {
  const fleet = new SimulatedFleet({ traits, count, metrics, seed, fromHours: -hours, effect: () => 1 });
  const history: Record<string, Pair[][]> = {};
  for (let hour = 1 - hours; hour <= 0; hour++) {
    fleet.liveUntil(hour);
    for (const [name, pairs] of Object.entries(fleet.pairs()())) {
      history[name] ??= pairs.map(() => []);
      for (const [index, pair] of pairs.entries()) history[name][index]?.push(pair);
    }
    fleet.forget();
  }
  return { devices: fleet.devices, bucketMs: HOUR_MS, metrics: history };
}
