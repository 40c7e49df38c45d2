import { apportioned, type PlannedDevice } from "../driven/fleet-plan.ts";
import type { DrivenRegion } from "../driven/region.ts";
import { deviceClasses } from "./device-classes.ts";
import type { Placed } from "./happenings.ts";
import type { Scenario } from "./scenario.ts";

/** One entry a device: the sites one after the other, each with its share. */
export function fleetPlan({ fleet: { sites } }: Scenario, devices: number): readonly PlannedDevice[] {
  const counts = apportioned(
    devices,
    sites.map(({ share }) => share),
  );
  return sites.flatMap(({ name, deviceClass, timeZone, link, instruments }, index) =>
    Array.from({ length: counts[index] ?? 0 }, () => ({
      site: name,
      deviceClass,
      attributes: { site: name, deviceClass },
      timeZone,
      instruments,
      workFolderBytesMax: deviceClasses[deviceClass].workFolderBytesMax,
      hasUnsteadyLine: link === "unsteady",
    })),
  );
}

export function placedFleet(region: DrivenRegion): readonly Placed[] {
  return region.things.map((thingName) => {
    const { site, deviceClass } = region.plannedOf(thingName);
    return { thingName, site, deviceClass };
  });
}
