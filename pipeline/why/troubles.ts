import {
  GetCoreDeviceCommand,
  paginateListEffectiveDeployments,
  paginateListInstalledComponents,
  ResourceNotFoundException,
  type EffectiveDeployment,
  type GreengrassV2Client,
  type InstalledComponent,
} from "@aws-sdk/client-greengrassv2";
import type { UpdateWait } from "@coalmine/contract/update-wait";
import { durationText } from "../judge/verdict.ts";
import { explainComponent, explainDeployment, explainExecution } from "./catalogue.ts";
import { waitsText } from "./waits-text.ts";

export const CAUSE_LENGTH_MAX = 200;

/**
 * Why a device is not where it should be, in one sentence: how far its deployment is, the reason with its code and
 * cause, what to do next, and how old the news is. Times are on the region's clock.
 */
export async function troubleOf(
  greengrass: GreengrassV2Client,
  thing: string,
  groups: readonly string[],
  nowMs: number,
  waits?: UpdateWait,
): Promise<string> {
  try {
    const { lastStatusUpdateTimestamp } = await greengrass.send(
      new GetCoreDeviceCommand({ coreDeviceThingName: thing }),
    );
    const heardMs = lastStatusUpdateTimestamp?.getTime();
    const heard = heardMs === undefined ? "" : `; last heard of ${ago(nowMs, heardMs)}`;
    const deployment = await latestDeployment(greengrass, thing, groups);
    const ill = await illComponent(greengrass, thing);
    return `${thing}: ${[deploymentText(deployment, nowMs), waits === undefined ? "" : waitsText(waits), componentText(ill)].filter(Boolean).join("; ")}${heard}.`;
  } catch (failure) {
    if (!(failure instanceof ResourceNotFoundException)) throw failure;
    return `${thing}: it has never been heard of as a core device; commission it, or take it out of its groups.`;
  }
}

async function latestDeployment(
  greengrass: GreengrassV2Client,
  thing: string,
  groups: readonly string[],
): Promise<EffectiveDeployment | undefined> {
  let latest: EffectiveDeployment | undefined;
  const pages = paginateListEffectiveDeployments({ client: greengrass }, { coreDeviceThingName: thing });
  for await (const { effectiveDeployments = [] } of pages)
    for (const one of effectiveDeployments) {
      const isOurs = groups.some((group) => one.targetArn?.endsWith(`:thinggroup/${group}`) === true);
      const isLater = (one.modifiedTimestamp?.getTime() ?? 0) >= (latest?.modifiedTimestamp?.getTime() ?? 0);
      if (isOurs && isLater) latest = one;
    }
  return latest;
}

async function illComponent(
  greengrass: GreengrassV2Client,
  thing: string,
): Promise<InstalledComponent | undefined> {
  const pages = paginateListInstalledComponents(
    { client: greengrass },
    { coreDeviceThingName: thing, topologyFilter: "ALL" },
  );
  for await (const { installedComponents = [] } of pages) {
    const ill = installedComponents.find(
      ({ lifecycleState }) => lifecycleState === "BROKEN" || lifecycleState === "ERRORED",
    );
    if (ill !== undefined) return ill;
  }
  return undefined;
}

function deploymentText(deployment: EffectiveDeployment | undefined, nowMs: number): string {
  if (deployment === undefined)
    return "its groups tell it nothing, since it is in neither or they never had a deployment; look at its thing groups";
  const { coreDeviceExecutionStatus = "QUEUED", reason = "", statusDetails, modifiedTimestamp } = deployment;
  const [what, next] = explainExecution(coreDeviceExecutionStatus, reason);
  const since = modifiedTimestamp === undefined ? "" : ` (${ago(nowMs, modifiedTimestamp.getTime())})`;
  const why = explainDeployment(statusDetails?.errorStack ?? [], statusDetails?.errorTypes ?? []);
  const cause = reason === "" ? "" : ` ("${reason.slice(0, CAUSE_LENGTH_MAX)}")`;
  return why === undefined
    ? `${what}${since}${cause}; ${next}`
    : `${what}${since} by ${why.code}, ${why.entry[0]}${cause}; ${why.entry[1]}`;
}

function componentText(ill: InstalledComponent | undefined): string {
  if (ill === undefined) return "";
  const { componentName = "", componentVersion = "", lifecycleState = "", lifecycleStateDetails } = ill;
  const why = explainComponent(ill.lifecycleStatusCodes ?? []);
  const details =
    lifecycleStateDetails === undefined || lifecycleStateDetails === ""
      ? ""
      : ` ("${lifecycleStateDetails}")`;
  const reason =
    why === undefined ? "; read its log on the device" : ` by ${why.code}, ${why.entry[0]}; ${why.entry[1]}`;
  return `${componentName} ${componentVersion} is ${lifecycleState} there${details}${reason}`;
}

function ago(nowMs: number, thenMs: number): string {
  return `${durationText(Math.max(0, nowMs - thenMs))} ago`;
}
