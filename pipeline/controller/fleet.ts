import {
  GetDeploymentCommand,
  paginateListCoreDevices,
  paginateListDeployments,
} from "@aws-sdk/client-greengrassv2";
import {
  CreateThingGroupCommand,
  DescribeThingCommand,
  paginateListThingsInThingGroup,
  ResourceAlreadyExistsException,
} from "@aws-sdk/client-iot";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import type { Device } from "../judge/bundle.ts";
import type { TargetPolicy } from "../policy-target.ts";
import type { DeviceZones } from "../policy-windows.ts";
import type { ComponentSet } from "../rollout/deployment.ts";
import { eachOf, groupArn, type Region } from "./region.ts";

/** What a group was last told to run. */
export interface RunningRevision {
  readonly deploymentId: string;
  readonly revision: string;
  readonly components: ComponentSet;
  /** When it was created, on the clock of its region. */
  readonly sinceMs?: number;
}

export class FleetError extends CoalmineError {
  readonly code = "ERR_FLEET_UNREADABLE";
}

/** Creates the groups where they are missing. */
export async function ensureGroups({ iot }: Region, groups: readonly string[]): Promise<void> {
  for (const thingGroupName of groups)
    try {
      await iot.send(new CreateThingGroupCommand({ thingGroupName }));
    } catch (failure) {
      if (!(failure instanceof ResourceAlreadyExistsException)) throw failure;
    }
}

export async function membersOf({ iot }: Region, thingGroupName: string): Promise<string[]> {
  const members: string[] = [];
  for await (const { things = [] } of paginateListThingsInThingGroup({ client: iot }, { thingGroupName }))
    members.push(...things);
  return members;
}

/** The latest revision of a group; undefined where it never had one. */
export async function runningRevision(region: Region, group: string): Promise<RunningRevision | undefined> {
  const pages = paginateListDeployments(
    { client: region.greengrass },
    { targetArn: groupArn(region, group), historyFilter: "LATEST_ONLY" },
  );
  for await (const { deployments = [] } of pages) {
    const [latest] = deployments;
    if (latest?.deploymentId === undefined) continue;
    const { components = {} } = await region.greengrass.send(
      new GetDeploymentCommand({ deploymentId: latest.deploymentId }),
    );
    const set: ComponentSet = {};
    for (const [name, { componentVersion, configurationUpdate }] of Object.entries(components))
      set[name] = {
        version: componentVersion ?? "",
        // What was set back once is no part of what runs.
        ...(configurationUpdate?.merge === undefined
          ? {}
          : { merge: readMerge(name, latest.deploymentId, configurationUpdate.merge) }),
      };
    const sinceMs = latest.creationTimestamp?.getTime();
    return {
      deploymentId: latest.deploymentId,
      revision: latest.revisionId ?? "?",
      components: set,
      ...(sinceMs === undefined ? {} : { sinceMs }),
    };
  }
  return undefined;
}

const Merge = z.record(z.string(), z.json());

function readMerge(name: string, deploymentId: string, text: string): z.infer<typeof Merge> {
  try {
    return Merge.parse(JSON.parse(text));
  } catch (failure) {
    throw new FleetError(
      `deployment ${deploymentId} configures ${name} with something that is no JSON object; revise it first`,
      { cause: failure },
    );
  }
}

/** A site that nobody has named is no site: devices there have nothing in common. */
const UNKNOWN = "unknown";

export interface Fleet {
  readonly devices: Device[];
  readonly zones: DeviceZones;
}

/** The devices that take part in a rollout: core devices in either group, with strata and clusters as the policy has them. */
export async function fleetOf(
  region: Region,
  { strata, cluster }: Pick<TargetPolicy, "strata" | "cluster">,
): Promise<Fleet> {
  const { target, greengrass, iot } = region;
  const members = new Set([
    ...(await membersOf(region, target.mainGroup)),
    ...(await membersOf(region, target.canaryGroup)),
  ]);
  const platforms = new Map<string, string>();
  for await (const { coreDevices = [] } of paginateListCoreDevices({ client: greengrass, pageSize: 100 }, {}))
    for (const { coreDeviceThingName: thing = "", platform, architecture } of coreDevices)
      if (members.has(thing)) platforms.set(thing, `${platform ?? "any"}/${architecture ?? "any"}`);
  const things = [...platforms.keys()].sort();
  const zones: Record<string, string | undefined> = {};
  const devices = await eachOf(things, async (thing) => {
    const { attributes = {} } = await iot.send(new DescribeThingCommand({ thingName: thing }));
    const told = (name: string) => (attributes[name] === UNKNOWN ? undefined : attributes[name]);
    zones[thing] = told("timezone");
    return {
      thing,
      stratum:
        strata === undefined
          ? (attributes["stratum"] ?? platforms.get(thing) ?? "any")
          : strata.map((name) => attributes[name] ?? UNKNOWN).join("/"),
      cluster: (cluster === undefined ? (told("cluster") ?? told("site")) : told(cluster)) ?? thing,
    };
  });
  return { devices, zones };
}
