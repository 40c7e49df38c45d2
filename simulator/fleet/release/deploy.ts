import { componentNames, isProgram } from "@coalmine/contract";
import { modelConfiguration, resetWithVersion } from "@coalmine/contract/model-choice";
import type { JsonObject } from "@coalmine/recipe";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { modelOf, type Release } from "./release-folder.ts";
import type { ReleaseRegion } from "./release-region.ts";

/** Devices do not run what they were told to. */
export class NotInstalled extends CoalmineError {
  readonly code = "ERR_NOT_INSTALLED";
}

const STEP_MS = 10_000;
const Installed = z.object({
  installedComponents: z.array(
    z.object({ componentName: z.string(), componentVersion: z.string(), lifecycleState: z.string() }),
  ),
});
const Created = z.object({ deploymentId: z.string() });

/**
 * Deploys a release to a thing group: every component by its exact version, inference's model by configuration, and by
 * component what else is to be merged into its configuration.
 */
export async function deployRelease(
  region: ReleaseRegion,
  release: Release,
  group: string,
  name: string,
  merges: Readonly<Record<string, JsonObject>> = {},
): Promise<string> {
  const { cloud } = region;
  const model = modelOf(release);
  const components = Object.fromEntries(
    release.components.map(({ component, version }) => {
      const merge = {
        ...(component === componentNames.inference && model !== undefined
          ? { model: modelConfiguration(model, version) }
          : {}),
        ...merges[component],
      };
      const configurationUpdate = {
        ...(isProgram(component) ? { reset: resetWithVersion(component) } : {}),
        ...(Object.keys(merge).length > 0 ? { merge: JSON.stringify(merge) } : {}),
      };
      return [component, { componentVersion: version, configurationUpdate }];
    }),
  );
  const { things } = cloud.iot.iot;
  const { deploymentId } = await region.turn.change(async () =>
    Created.parse(
      await cloud.invoke("greengrass", "CreateDeployment", {
        targetArn: things.arn("thinggroup", group),
        deploymentName: name,
        components,
        deploymentPolicies: {
          failureHandlingPolicy: "ROLLBACK",
          componentUpdatePolicy: { action: "NOTIFY_COMPONENTS", timeoutInSeconds: 60 },
          configurationValidationPolicy: { timeoutInSeconds: 60 },
        },
      }),
    ),
  );
  return deploymentId;
}

/** What one device lacks of a release by the cloud's own knowledge, in words; nothing when it runs all of it. */
export async function lacking(
  region: Pick<ReleaseRegion, "cloud">,
  release: Release,
  thingName: string,
): Promise<string[]> {
  if (region.cloud.greengrass.coreDevices.get(thingName) === undefined) return ["never reported"];
  const { installedComponents } = Installed.parse(
    await region.cloud.invoke("greengrass", "ListInstalledComponents", {
      coreDeviceThingName: thingName,
      topologyFilter: "ALL",
      maxResults: 100,
    }),
  );
  const found = new Map(installedComponents.map((one) => [one.componentName, one]));
  return release.components.flatMap(({ component, version }) => {
    const one = found.get(component);
    if (one === undefined) return [`${component} is not installed`];
    if (one.componentVersion !== version) return [`${component} is ${one.componentVersion}, not ${version}`];
    return one.lifecycleState === "RUNNING" || one.lifecycleState === "FINISHED"
      ? []
      : [`${component} ${version} is ${one.lifecycleState}`];
  });
}

const Effective = z.object({
  effectiveDeployments: z.array(
    z.object({
      deploymentId: z.string(),
      coreDeviceExecutionStatus: z.string(),
      reason: z.string().optional(),
    }),
  ),
});

/** How a deployment failed on a device, if it did. */
async function failureOf(
  { cloud }: Pick<ReleaseRegion, "cloud">,
  deploymentId: string,
  coreDeviceThingName: string,
): Promise<string | undefined> {
  const { effectiveDeployments } = Effective.parse(
    await cloud.invoke("greengrass", "ListEffectiveDeployments", { coreDeviceThingName }),
  );
  const one = effectiveDeployments.find((found) => found.deploymentId === deploymentId);
  return one?.coreDeviceExecutionStatus === "FAILED" ? (one.reason ?? "no reason told") : undefined;
}

/**
 * Drives the clock until the cloud knows that every device runs the release.
 * @throws NotInstalled at the deadline, or when the deployment that is to bring it failed on a device.
 */
export async function untilInstalled(
  region: ReleaseRegion,
  release: Release,
  withinMs: number,
  deploymentId?: string,
): Promise<void> {
  const deadline = region.clock.now() + withinMs;
  for (;;) {
    const late: string[] = [];
    for (const { thingName } of region.devices) {
      const lacks = await lacking(region, release, thingName);
      if (lacks.length === 0) continue;
      late.push(`${thingName} (${lacks.join(", ")})`);
      const failed =
        deploymentId === undefined ? undefined : await failureOf(region, deploymentId, thingName);
      if (failed !== undefined)
        throw new NotInstalled(`the deployment failed on ${thingName}: ${failed.slice(0, 600)}`);
    }
    if (late.length === 0) return;
    if (region.clock.now() >= deadline)
      throw new NotInstalled(
        `after ${Math.round(withinMs / 60_000)} min ${late.length} of ${region.devices.length} devices do not run the release: ${late.slice(0, 3).join("; ")}`,
      );
    await region.turn.run(Math.min(deadline, region.clock.now() + STEP_MS));
  }
}
