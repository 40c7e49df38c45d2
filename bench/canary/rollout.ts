import { SeededRandom } from "@coalmine/runtime";
import { JudgePolicy, Metric, type Bundle, type Look } from "../../pipeline/judge/bundle.ts";
import { draw } from "../../pipeline/judge/draw.ts";
import { SimulatedFleet } from "../../pipeline/judge/simulated-fleet.ts";
import { Installing, type Install } from "./installing.ts";
import type { BenchFleet, Harm } from "./scenarios.ts";

export const CANARY_DEVICES = 10;
export const BASELINE_DEVICES = 100;
export const HOURS = 24;
export const LOOKS = 288;
const LOOK_HOURS = HOURS / LOOKS;
const HOUR_MS = 3_600_000;

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

/** A day of one rollout with nobody to stop it: what each judge would have seen by any look. */
export interface Rollout {
  readonly bundle: Bundle;
  /** Of the canaries. */
  readonly installs: readonly Install[];
}

export function rollout({ traits, handPicked }: BenchFleet, harm: Harm, seed: string): Rollout {
  const isCanary = new Uint8Array(CANARY_DEVICES + BASELINE_DEVICES);
  let installing: Installing | undefined;
  const fleet: SimulatedFleet = new SimulatedFleet({
    traits,
    count: isCanary.length,
    metrics,
    seed,
    fromHours: -HOURS,
    effect: (device, metric, hours) => {
      const lasting = metric === "errors" && isCanary[device] === 1 ? (handPicked ?? 1) : 1;
      const since = installing?.hoursOn(device, hours);
      if (since === undefined) return lasting;
      if (harm.onlyAtSite === true && fleet.devices[device]?.stratum !== "site") return lasting;
      return lasting * ((metric === "errors" ? harm.errors : harm.latency)?.(since) ?? 1);
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
  installing = new Installing(fleet, canaries, harm, new SeededRandom(`${seed}/harm`));
  installing.begin(0);
  const looks: Look[] = [];
  for (let look = 1; look <= LOOKS; look++) {
    const hours = look * LOOK_HOURS;
    fleet.liveUntil(hours);
    looks.push({
      elapsedMs: Math.round(hours * HOUR_MS),
      values: fleet.pairs()(),
      updated: installing.installs.map(({ thing }) => thing),
      failing: installing.failingAt(hours),
    });
    installing.begin(hours);
  }
  return {
    installs: installing.installs,
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
  };
}
