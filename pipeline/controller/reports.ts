import {
  paginateListCoreDevices,
  paginateListEffectiveDeployments,
  paginateListInstalledComponents,
  ResourceNotFoundException,
} from "@aws-sdk/client-greengrassv2";
import { keyOf } from "../rollout/enter.ts";
import type { ComponentSet } from "../rollout/deployment.ts";
import type { Evidence } from "../rollout/evidence.ts";
import { targetsOf, type Rollout, type TargetState } from "../rollout/state.ts";
import type { RolloutTarget } from "../rollout/plan.ts";
import { latestOf } from "./deployments.ts";
import { eachOf, groupArn, type Region } from "./region.ts";

/** What a device that runs neither set is said to run. */
const OTHER_SET = "other";

/**
 * Asks the devices that were told to run something new what they completed last. Devices that report what they should,
 * and have said nothing since, are not asked again; nor is a report repeated that the rollout knows.
 */
export class Reports {
  /** target/thing → the time of the status at which it was last found as it should be. */
  readonly #settled = new Map<string, string>();

  async of(rollout: Rollout, target: string, region: Region): Promise<Evidence[]> {
    const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
    if (own === undefined || own.state.exposed.length === 0) return [];
    const { plan, state } = own;
    const statusAt = new Map<string, string>();
    for await (const { coreDevices = [] } of paginateListCoreDevices(
      { client: region.greengrass, pageSize: 100 },
      {},
    ))
      for (const { coreDeviceThingName: thing = "", lastStatusUpdateTimestamp: at } of coreDevices)
        statusAt.set(thing, String(at?.getTime()));
    const asked = state.exposed.filter((thing) => {
      const heard = statusAt.get(thing);
      return heard !== undefined && this.#settled.get(settledKey(plan, state, thing)) !== heard;
    });
    const reports = await eachOf(asked, async (thing): Promise<Evidence[]> => {
      const told = await reportOf(region, plan, state, thing);
      if (told === undefined) return [];
      if (isExpected(state, told))
        this.#settled.set(settledKey(plan, state, thing), statusAt.get(thing) ?? "");
      const known = state.reports[thing];
      return known?.set === told.set && known.deploymentId === told.deploymentId
        ? []
        : [{ kind: "reported", target, thing, ...told }];
    });
    return reports.flat();
  }
}

/**
 * A revision of the candidate that is a group's latest though the rollout has turned back: made by a controller that was
 * slow, and told by nobody.
 */
export async function lateRevisions(rollout: Rollout, region: Region): Promise<Evidence[]> {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === region.target.name);
  if (rollout.phase.phase !== "rollingBack" || own === undefined) return [];
  const { plan, state } = own;
  const groups = { canary: plan.canaryGroup, main: plan.mainGroup };
  const late: Evidence[] = [];
  for (const role of ["canary", "main"] as const) {
    if (state.groups[role]?.id === undefined) continue;
    const latest = await latestOf(region, groups[role]);
    if (latest?.name.startsWith(keyOf(rollout, plan.name, role, "candidate", "")) !== true) continue;
    late.push({ kind: "deploymentCreated", key: latest.name, deploymentId: latest.deploymentId });
  }
  return late;
}

/** What is expected of a device changes with the revisions of the groups. */
function settledKey(plan: RolloutTarget, { groups }: TargetState, thing: string): string {
  return [plan.name, thing, groups.canary?.key ?? "", groups.main?.key ?? ""].join("\n");
}

function isExpected({ groups }: TargetState, told: { deploymentId: string }): boolean {
  return [groups.canary?.id, groups.main?.id].includes(told.deploymentId);
}

async function reportOf(
  region: Region,
  plan: RolloutTarget,
  state: TargetState,
  thing: string,
): Promise<{ set: string; deploymentId: string } | undefined> {
  const deploymentId = await lastCompleted(region, plan, thing);
  if (deploymentId === undefined) return undefined;
  const installed = await installedVersions(region, thing);
  const runs = (set: ComponentSet) =>
    Object.entries(set).every(([name, { version }]) => installed.get(name) === version);
  const told = [state.groups.canary, state.groups.main].find((group) => group?.id === deploymentId)?.set;
  // New versions on a device whose deployment is still under way may yet be taken back: only what it completed counts.
  if (runs(plan.candidate.components) && told === "candidate")
    return { set: plan.candidate.id, deploymentId };
  if (runs(plan.lastGood.components) && told !== "candidate") return { set: plan.lastGood.id, deploymentId };
  return { set: OTHER_SET, deploymentId };
}

async function lastCompleted(
  region: Region,
  plan: RolloutTarget,
  thing: string,
): Promise<string | undefined> {
  const groups = new Set([groupArn(region, plan.canaryGroup), groupArn(region, plan.mainGroup)]);
  let last: { id: string; atMs: number } | undefined;
  try {
    const pages = paginateListEffectiveDeployments(
      { client: region.greengrass },
      { coreDeviceThingName: thing },
    );
    for await (const { effectiveDeployments = [] } of pages)
      for (const one of effectiveDeployments) {
        const status = one.coreDeviceExecutionStatus;
        const atMs = one.modifiedTimestamp?.getTime() ?? 0;
        const counts = status === "SUCCEEDED" || status === "COMPLETED";
        if (counts && groups.has(one.targetArn ?? "") && (last === undefined || atMs >= last.atMs))
          last = { id: one.deploymentId ?? "", atMs };
      }
  } catch (failure) {
    // A device that has never been heard of has completed nothing.
    if (!(failure instanceof ResourceNotFoundException)) throw failure;
  }
  return last?.id;
}

async function installedVersions(region: Region, thing: string): Promise<Map<string, string>> {
  const installed = new Map<string, string>();
  const pages = paginateListInstalledComponents(
    { client: region.greengrass, pageSize: 100 },
    { coreDeviceThingName: thing, topologyFilter: "ALL" },
  );
  for await (const { installedComponents = [] } of pages)
    for (const { componentName = "", componentVersion = "" } of installedComponents)
      installed.set(componentName, componentVersion);
  return installed;
}
