import {
  DescribeComponentCommand,
  type InstalledComponent,
  ListInstalledComponentsCommand,
  paginateListComponents,
  paginateListCoreDevices,
} from "@aws-sdk/client-greengrassv2";
import type * as z from "zod";
import type { answers } from "../answers/answers.ts";
import { versionMatrix } from "../../api/fleets/version-matrix.ts";
import { membersOf, runningRevision } from "../../pipeline/controller/fleet.ts";
import { eachOf, type Region } from "../../pipeline/controller/region.ts";

type Answer<Name extends keyof typeof answers> = z.input<(typeof answers)[Name]>;
export type DeviceRow = Answer<"device-list">[number];
export type Fleet = Answer<"fleet-list">[number];
export type FleetPage = Answer<"fleet-show">;
export type ComponentRow = Answer<"component-list">[number];

/** Every core device of the account in that region, by name; those of neither group too. */
export async function listDevices(region: Region, nowMs: number): Promise<DeviceRow[]> {
  const { canaryGroup, mainGroup } = region.target;
  const canary = new Set(await membersOf(region, canaryGroup));
  const main = new Set(await membersOf(region, mainGroup));
  const rows: DeviceRow[] = [];
  for await (const { coreDevices = [] } of paginateListCoreDevices(
    { client: region.greengrass, pageSize: 100 },
    {},
  ))
    for (const { coreDeviceThingName: thing = "", status = "unknown", ...told } of coreDevices) {
      const atMs = told.lastStatusUpdateTimestamp?.getTime();
      rows.push({
        fleet: region.target.name,
        thing,
        cohort: canary.has(thing) ? "canary" : main.has(thing) ? "main" : "none",
        status,
        platform: [told.platform, told.architecture].filter((part) => part !== undefined).join("/"),
        ...(atMs === undefined ? {} : { seen: { atMs, ageMs: Math.max(0, nowMs - atMs) } }),
      });
    }
  return rows.sort((a, b) => (a.thing < b.thing ? -1 : 1));
}

/** One target's fleet as its region knows it. */
export async function readFleet(region: Region, nowMs: number): Promise<Fleet> {
  return fleetOf(region, nowMs, await members(region, nowMs));
}

async function members(region: Region, nowMs: number): Promise<DeviceRow[]> {
  return (await listDevices(region, nowMs)).filter(({ cohort }) => cohort !== "none");
}

async function fleetOf(region: Region, nowMs: number, devices: readonly DeviceRow[]): Promise<Fleet> {
  const ages = devices.flatMap(({ seen }) => seen?.ageMs ?? []);
  const { name, region: place, canaryGroup, mainGroup } = region.target;
  return {
    fleet: name,
    region: place,
    nowMs,
    devices: devices.length,
    canary: devices.filter(({ cohort }) => cohort === "canary").length,
    byStatus: countBy(devices.map(({ status }) => status)),
    ...(ages.length === 0 ? {} : { oldestMs: Math.max(...ages) }),
    groups: await Promise.all(
      [canaryGroup, mainGroup].map(async (group) => {
        const inForce = await runningRevision(region, group);
        const count = (await membersOf(region, group)).length;
        if (inForce === undefined) return { group, devices: count };
        const { deploymentId, revision, components } = inForce;
        return {
          group,
          devices: count,
          inForce: {
            deploymentId,
            revision,
            components: Object.fromEntries(
              Object.entries(components).map(([component, { version }]) => [component, version]),
            ),
          },
        };
      }),
    ),
  };
}

/** The same with component × version × cohort; asks once for each device. */
export async function showFleet(region: Region, nowMs: number): Promise<FleetPage> {
  const devices = await members(region, nowMs);
  const fleet = await fleetOf(region, nowMs, devices);
  const told = await eachOf(devices, async ({ thing, cohort }) => ({
    cohort,
    installed: await installedOn(region, thing),
  }));
  const asked = { canary: fleet.groups[0]?.inForce, main: fleet.groups[1]?.inForce };
  const run = told.flatMap(({ cohort, installed }) =>
    cohort === "none"
      ? []
      : [
          {
            cohort,
            versions: installed.map(
              ({ componentName = "", componentVersion = "" }) => [componentName, componentVersion] as const,
            ),
          },
        ],
  );
  return {
    ...fleet,
    installed: versionMatrix(run, (cohort, component) => asked[cohort]?.components[component]),
  };
}

async function installedOn({ greengrass }: Region, thing: string): Promise<InstalledComponent[]> {
  const installed: InstalledComponent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await greengrass.send(
      new ListInstalledComponentsCommand({ coreDeviceThingName: thing, topologyFilter: "ALL", nextToken }),
    );
    installed.push(...(page.installedComponents ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return installed;
}

/** Every component of the account with its newest version, and whether that can be deployed. */
export async function listComponents(region: Region): Promise<ComponentRow[]> {
  const { greengrass, target } = region;
  const arns: string[] = [];
  for await (const { components = [] } of paginateListComponents(
    { client: greengrass },
    { scope: "PRIVATE" },
  ))
    for (const { latestVersion } of components)
      if (latestVersion?.arn !== undefined) arns.push(latestVersion.arn);
  const rows = await eachOf(arns, async (arn): Promise<ComponentRow> => {
    const {
      componentName = "",
      componentVersion = "",
      status,
    } = await greengrass.send(new DescribeComponentCommand({ arn }));
    const message = status?.message;
    return {
      fleet: target.name,
      region: target.region,
      component: componentName,
      version: componentVersion,
      state: status?.componentState ?? "unknown",
      ...(message === undefined || message === "NONE" || message === "" ? {} : { message }),
    };
  });
  return rows.sort((a, b) => (a.component < b.component ? -1 : 1));
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
