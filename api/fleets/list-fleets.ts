import { cohorts, type DeviceRow, type Fleet } from "@coalmine/contract/operator-api";
import { isFinished, readRollout } from "../../pipeline/controller/folded.ts";
import { ageOf } from "../age.ts";
import type { Api } from "../api.ts";
import type { FleetSeen, FleetWatch } from "./fleet-watch.ts";
import { versionMatrix } from "./version-matrix.ts";

/** Rollouts that may still be under way: the latest. */
const LOOKED_AT_MAX = 10;

/** Every fleet with its cohorts, what is in force for them, and what their devices say they run. */
export async function listFleets(api: Api, watches: readonly FleetWatch[]): Promise<Fleet[]> {
  const rollouts = await rolloutsUnderWay(api);
  return Promise.all(watches.map(async (watch) => fleetOf(watch, await watch.look(), rollouts)));
}

/** Target → the rollout that goes on there. */
export async function rolloutsUnderWay({ log }: Api): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { rollout } of (await log.list(LOOKED_AT_MAX)).toReversed()) {
    const folded = await readRollout(log, rollout);
    if (folded?.planned === undefined || isFinished(folded)) continue;
    for (const { name } of folded.planned.record.plan.targets) found.set(name, rollout);
  }
  return found;
}

function fleetOf(watch: FleetWatch, seen: FleetSeen, rollouts: ReadonlyMap<string, string>): Fleet {
  const { nowMs, rows } = seen;
  const { target } = watch.region;
  const all = [...rows.values()];
  const newestMs = Math.max(...all.map((row) => row.seen?.atMs ?? -Infinity));
  const rollout = rollouts.get(watch.fleet);
  return {
    fleet: watch.fleet,
    region: target.region,
    nowMs,
    ...(Number.isFinite(newestMs) ? { seen: ageOf(newestMs, nowMs) } : {}),
    devices: all.length,
    byState: countsOf(all),
    groups: cohorts.map((cohort) => {
      const own = all.filter((row) => row.cohort === cohort);
      const revision = seen.membership.inForce[cohort];
      return {
        group: cohort === "canary" ? target.canaryGroup : target.mainGroup,
        cohort,
        devices: own.length,
        byState: countsOf(own),
        ...(revision === undefined
          ? {}
          : {
              inForce: {
                deployment: revision.deploymentId,
                revision: revision.revision,
                ...(revision.sinceMs === undefined ? {} : { sinceMs: revision.sinceMs }),
                components: Object.fromEntries(
                  Object.entries(revision.components).map(([name, { version }]) => [name, version]),
                ),
              },
            }),
      };
    }),
    installed: installedOf(seen),
    ...(rollout === undefined ? {} : { rollout }),
  };
}

function countsOf(rows: readonly DeviceRow[]): Fleet["byState"] {
  const counts = { well: 0, updating: 0, offline: 0, silent: 0, failing: 0, unseen: 0 };
  for (const { state } of rows) counts[state]++;
  return counts;
}

function installedOf({ rows, sets, membership }: FleetSeen): Fleet["installed"] {
  const devices = [...rows.values()].map(({ set, cohort }) => ({
    cohort,
    versions: Object.entries((set === undefined ? undefined : sets[set]) ?? {}),
  }));
  return versionMatrix(
    devices,
    (cohort, component) => membership.inForce[cohort]?.components[component]?.version,
  );
}
