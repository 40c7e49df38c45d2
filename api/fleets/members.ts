import { paginateListCoreDevices } from "@aws-sdk/client-greengrassv2";
import { paginateListThings } from "@aws-sdk/client-iot";
import type { Cohort } from "@coalmine/contract/operator-api";
import { membersOf, runningRevision, type RunningRevision } from "../../pipeline/controller/fleet.ts";
import type { Region } from "../../pipeline/controller/region.ts";

/** A thing in one of the fleet's groups, as the registry and Greengrass have it. */
export interface Member {
  readonly thing: string;
  readonly cohort: Cohort;
  readonly site: string | undefined;
  /** When Greengrass last heard of it. */
  readonly statusMs: number | undefined;
  /** Greengrass counts it as unhealthy: one of its components is broken. */
  readonly isUnhealthy: boolean;
}

export interface Membership {
  /** By name, in its order. */
  readonly members: ReadonlyMap<string, Member>;
  readonly inForce: Readonly<Record<Cohort, RunningRevision | undefined>>;
}

const PAGE = 250;

export async function membershipOf(region: Region): Promise<Membership> {
  const { target, iot, greengrass } = region;
  const [main, canary, mainRevision, canaryRevision] = await Promise.all([
    membersOf(region, target.mainGroup),
    membersOf(region, target.canaryGroup),
    runningRevision(region, target.mainGroup),
    runningRevision(region, target.canaryGroup),
  ]);
  const cohorts = new Map<string, Cohort>();
  for (const thing of main) cohorts.set(thing, "main");
  // While a device changes groups it is in both; what the canary's runs is what it gets.
  for (const thing of canary) cohorts.set(thing, "canary");
  const sites = new Map<string, string>();
  for await (const { things = [] } of paginateListThings({ client: iot, pageSize: PAGE }, {}))
    for (const { thingName = "", attributes } of things) {
      const site = attributes?.["site"];
      if (site !== undefined && cohorts.has(thingName)) sites.set(thingName, site);
    }
  const statuses = new Map<string, { statusMs: number | undefined; isUnhealthy: boolean }>();
  for await (const { coreDevices = [] } of paginateListCoreDevices({ client: greengrass, pageSize: 100 }, {}))
    for (const { coreDeviceThingName = "", lastStatusUpdateTimestamp, status } of coreDevices)
      statuses.set(coreDeviceThingName, {
        statusMs: lastStatusUpdateTimestamp?.getTime(),
        isUnhealthy: status === "UNHEALTHY",
      });
  const members = [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    members: new Map(
      members.map(([thing, cohort]) => [
        thing,
        {
          thing,
          cohort,
          site: sites.get(thing),
          ...(statuses.get(thing) ?? { statusMs: undefined, isUnhealthy: false }),
        },
      ]),
    ),
    inForce: { main: mainRevision, canary: canaryRevision },
  };
}
