import { DescribeTableCommand, ResourceNotFoundException as NoTable } from "@aws-sdk/client-dynamodb";
import {
  DescribeEventConfigurationsCommand,
  DescribeThingGroupCommand,
  type IoTClient,
  ResourceNotFoundException as NoGroup,
  UpdateEventConfigurationsCommand,
} from "@aws-sdk/client-iot";
import { componentNames } from "@coalmine/contract";
import type { JsonObject } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { type FirstInstallation, installFirst } from "../../pipeline/controller/install-first.ts";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import type { Region } from "../../pipeline/controller/region.ts";
import { ROLLOUTS_TABLE } from "../../pipeline/controller/rollout-log.ts";
import { EVIDENCE_TABLE } from "../../pipeline/evidence/evidence-store.ts";
import { releaseKey, ReleaseManifest } from "../../pipeline/release.ts";
import type { Signers } from "../../pipeline/supply/signers.ts";

export class FleetInstallError extends CoalmineError {
  readonly code = "ERR_FLEET_INSTALL";
}

/** Target → component → what it is configured with beyond its recipe's defaults. */
export type Configuration = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

export interface InstallWish {
  readonly commit: string;
  readonly signers: Signers;
  readonly configuration: Configuration;
  readonly who: string;
}

export interface InstalledFleets {
  readonly installed: readonly FirstInstallation[];
  /** Targets whose job events were off until now. */
  readonly switchedOn: readonly string[];
}

/**
 * The first release of every fleet: published, signed, and with the lake's own bucket for what devices measure. May be
 * repeated; what runs is left alone. @throws FleetInstallError before anything is changed
 */
export async function installOnFleets(
  regions: readonly [Region, ...Region[]],
  { commit, signers, configuration, who }: InstallWish,
): Promise<InstalledFleets> {
  const [home] = regions;
  const { artifactBucket } = home.target;
  const missing: string[] = [];
  for (const region of regions) missing.push(...(await missingIn(region, region === home)));
  if (missing.length > 0)
    throw new FleetInstallError(
      `nothing can be installed yet: there is no ${missing.join(", no ")}; deploy the stacks first, as \`coalmine up --aws\` prints`,
    );
  const release = await new KeptDocuments(home.s3, artifactBucket).read(releaseKey(commit), ReleaseManifest);
  if (release === undefined)
    throw new FleetInstallError(
      `no release of commit ${commit} is published in ${artifactBucket}; publish it with \`node pipeline/stages/main.ts publish\`, or name one that is with --commit`,
    );
  const configured = configurationOf(regions, release, configuration);
  const installed = await installFirst(regions, release, who, systemClock, {
    configuration: configured,
    signers,
  });
  const switchedOn: string[] = [];
  for (const { iot, target } of regions) if (await switchOnJobEvents(iot)) switchedOn.push(target.name);
  return { installed, switchedOn };
}

/** Made here they would stand in the way of the stacks, which could not make them any more. */
async function missingIn({ target, dynamodb, iot }: Region, isHome: boolean): Promise<string[]> {
  const missing: string[] = [];
  for (const TableName of [EVIDENCE_TABLE, ...(isHome ? [ROLLOUTS_TABLE] : [])])
    if (!(await isThere(dynamodb.send(new DescribeTableCommand({ TableName })))))
      missing.push(`table ${TableName} in ${target.region}`);
  for (const thingGroupName of [target.mainGroup, target.canaryGroup])
    if (!(await isThere(iot.send(new DescribeThingGroupCommand({ thingGroupName })))))
      missing.push(`thing group ${thingGroupName} in ${target.region}`);
  return missing;
}

async function isThere(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (failure) {
    if (failure instanceof NoTable || failure instanceof NoGroup) return false;
    throw failure;
  }
}

/** What somebody wishes, over the one thing that differs in each region: no device may write into another's bucket. */
function configurationOf(
  regions: readonly Region[],
  { components }: ReleaseManifest,
  wished: Configuration,
): Configuration {
  const targets = regions.map(({ target }) => target);
  for (const [name, byComponent] of Object.entries(wished)) {
    if (!targets.some((target) => target.name === name))
      throw new FleetInstallError(
        `the configuration is for "${name}", and the targets are ${targets.map((target) => target.name).join(", ")}; name one of them`,
      );
    const other = Object.keys(byComponent).find((component) => components[component] === undefined);
    if (other !== undefined)
      throw new FleetInstallError(
        `the configuration is for ${other}, which the release does not have; it has ${Object.keys(components).join(", ")}`,
      );
  }
  const { streamUploader } = componentNames;
  return Object.fromEntries(
    targets.map(({ name, lakeBucket: bucket }) => {
      const own = wished[name] ?? {};
      return [
        name,
        components[streamUploader] === undefined
          ? own
          : { ...own, [streamUploader]: { bucket, ...own[streamUploader] } },
      ];
    }),
  );
}

/** AWS IoT tells of job executions only once somebody wants it. True where nobody had. */
async function switchOnJobEvents(iot: IoTClient): Promise<boolean> {
  const { eventConfigurations = {} } = await iot.send(new DescribeEventConfigurationsCommand({}));
  if (eventConfigurations.JOB_EXECUTION?.Enabled === true) return false;
  await iot.send(
    new UpdateEventConfigurationsCommand({
      eventConfigurations: { ...eventConfigurations, JOB_EXECUTION: { Enabled: true } },
    }),
  );
  return true;
}
