import { SeededRandom } from "@coalmine/runtime";
import { JudgePolicy, Metric, type Bundle, type Look } from "../../pipeline/judge/bundle.ts";
import { draw } from "../../pipeline/judge/draw.ts";
import { SimulatedFleet } from "../../pipeline/judge/simulated-fleet.ts";
import type { BenchFleet, Harm } from "./scenarios.ts";

export const CANARY_DEVICES = 10;
export const BASELINE_DEVICES = 100;
export const HOURS = 24;
export const LOOKS = 288;
const LOOK_HOURS = HOURS / LOOKS;
const HOUR_MS = 3_600_000;

/** Silence shows after three heartbeats that were due every five minutes. */
const SILENT_AFTER_HOURS = 0.25;
const CRASH_AFTER_HOURS = 0.5;
/** What goes wrong with any release, and with none: one installation in a hundred, one crash loop in 200 device-days. */
const INSTALL_FAILS = 0.01;
const CRASHES_A_DAY = 0.005;
const CRASH_LOOP_HOURS = 1;

const policy = JudgePolicy.parse({
  judgedBy: "comparison",
  soakMs: HOURS * HOUR_MS,
  horizonMs: HOURS * HOUR_MS,
  guard: {},
});
const guarded = { direction: "up", role: "halting" } as const;
const metrics = [
  Metric.parse({ name: "errors", kind: "ratio", ...guarded, margin: 1.3 }),
  Metric.parse({ name: "latency", kind: "mean", ...guarded, margin: 1.3 }),
  Metric.parse({ name: "heartbeats", kind: "liveness", ...guarded }),
];

export interface Install {
  readonly thing: string;
  readonly atHours: number;
  /** `silent`: the device began and was not heard again. */
  readonly outcome: "succeeded" | "failed" | "silent";
}

/** A day of one rollout with nobody to stop it: what each judge would have seen by any look. */
export interface Rollout {
  readonly bundle: Bundle;
  /** Of the canaries, in the order in which they began. */
  readonly installs: readonly Install[];
}

export function rollout({ traits, handPicked }: BenchFleet, harm: Harm, seed: string): Rollout {
  const count = CANARY_DEVICES + BASELINE_DEVICES;
  const random = new SeededRandom(`${seed}/harm`);
  const installedAt = new Float64Array(count).fill(Infinity);
  const isCanary = new Uint8Array(count);
  const fleet: SimulatedFleet = new SimulatedFleet({
    traits,
    count,
    metrics,
    seed,
    fromHours: -HOURS,
    effect: (device, metric, hours) => {
      const lasting = metric === "errors" && isCanary[device] === 1 ? (handPicked ?? 1) : 1;
      const since = hours - (installedAt[device] ?? Infinity);
      const spared = harm.onlyAtSite === true && fleet.devices[device]?.stratum !== "site";
      const ratio = metric === "errors" ? harm.errors : harm.latency;
      return lasting * (since >= 0 && !spared ? (ratio?.(since) ?? 1) : 1);
    },
  });
  const things = fleet.devices.map(({ thing }) => thing);
  const canary =
    handPicked === undefined
      ? draw(fleet.devices, CANARY_DEVICES, seed).canary
      : things.slice(0, CANARY_DEVICES);
  const canaries = canary.map((thing) => things.indexOf(thing));
  for (const device of canaries) isCanary[device] = 1;
  fleet.liveUntil(0);
  const before = fleet.pairs()();
  fleet.forget();

  const installs: Install[] = [];
  const failures: {
    thing: string;
    how: "silent" | "crashLoop" | "unhealthy";
    from: number;
    until: number;
  }[] = [];
  const crash = (device: number, from: number, until: number): void => {
    fleet.silence(device, from, until);
    failures.push({ thing: things[device] ?? "", how: "crashLoop", from, until });
  };
  for (let device = 0; device < count; device++) {
    const from = HOURS * random.next();
    if (random.next() < CRASHES_A_DAY) crash(device, from, from + CRASH_LOOP_HOURS);
  }
  const waiting = new Set(canaries);
  const installNow = (hours: number): void => {
    for (const device of waiting) {
      if (!fleet.isOn(device)) continue;
      waiting.delete(device);
      const thing = things[device] ?? "";
      const [fails, bricks, crashes] = [random.next(), random.next(), random.next()];
      const failed = fails < INSTALL_FAILS + (harm.failedInstalls ?? 0);
      const silent = !failed && bricks < (harm.bricks ?? 0);
      installs.push({ thing, atHours: hours, outcome: failed ? "failed" : silent ? "silent" : "succeeded" });
      if (failed) failures.push({ thing, how: "unhealthy", from: hours, until: Infinity });
      else installedAt[device] = hours;
      if (silent) {
        fleet.silence(device, hours);
        failures.push({ thing, how: "silent", from: hours + SILENT_AFTER_HOURS, until: Infinity });
      } else if (!failed && crashes < (harm.crashLoops ?? 0))
        crash(device, hours + CRASH_AFTER_HOURS, Infinity);
    }
  };
  installNow(0);
  const looks = Array.from({ length: LOOKS }, (_, index): Look => {
    const hours = (index + 1) * LOOK_HOURS;
    fleet.liveUntil(hours);
    const look = {
      elapsedMs: Math.round(hours * HOUR_MS),
      values: fleet.pairs()(),
      updated: installs.map(({ thing }) => thing),
      failing: failures
        .filter(({ from, until }) => from <= hours + 1e-9 && hours < until)
        .map(({ thing, how }) => ({ thing, how })),
    };
    installNow(hours);
    return look;
  });
  return {
    bundle: {
      version: 1,
      rollout: seed,
      target: "simulated",
      devices: [...fleet.devices],
      draw: { how: handPicked === undefined ? "drawn" : "handPicked", seed, canary: [...canary] },
      metrics,
      policy,
      before,
      looks,
    },
    installs,
  };
}
