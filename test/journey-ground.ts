import { paginateListInstalledComponents } from "@aws-sdk/client-greengrassv2";
import { GetPipelineExecutionCommand, ListPipelineExecutionsCommand } from "@aws-sdk/client-codepipeline";
import type { Api } from "../api/api.ts";
import { eachOf, type Region } from "../pipeline/controller/region.ts";
import { readRollout } from "../pipeline/controller/folded.ts";
import { PIPELINE_NAME } from "../pipeline/definition.ts";
import type { Rollout } from "../pipeline/rollout/state.ts";

/** A system that a developer and an operator have before them, however it was brought up. */
export interface Ground {
  readonly api: Api;
  /** Home first. */
  readonly regions: readonly [Region, ...Region[]];
  readonly devices: number;
  readonly canary: number;
  /** Commits a change and pushes it; gives what the pusher reads. */
  readonly push: (kind: "better" | "broken") => Promise<{ readonly commit: string; readonly said: string }>;
  /** What is to be done before time goes on is done. */
  readonly settle: () => Promise<void>;
  /** Time goes on. */
  readonly later: (hasBegun: boolean) => Promise<void>;
  /** Opens the console, once. */
  readonly link: () => Promise<string>;
  /** What a command of `coalmine` says, as somebody types it beside the system. */
  readonly coalmine: (...words: string[]) => Promise<string>;
  /** How `why` tells of the broken release: its first group is devices of the canary, where it names them. */
  readonly failed: RegExp;
}

const LATER_MAX = 600;

/** Lets time go on until a rollout of that commit is at a phase; gives its name. */
export async function until(ground: Ground, commit: string, phase: string): Promise<string> {
  for (let step = 0; step < LATER_MAX; step++) {
    await ground.settle();
    const listed = (await ground.api.log.list(5)).find((one) => one.commit === commit);
    if (listed !== undefined) {
      const at = (await readRollout(ground.api.log, listed.rollout))?.planned?.rollout.phase;
      if (at?.phase === phase) return listed.rollout;
      if (at?.phase === "done") throw new Error(`${listed.rollout} is ${at.outcome}: ${at.because}`);
    } else if ((await executionOf(ground, commit)) === "Failed")
      throw new Error(`the pipeline stopped ${commit} before there was a rollout`);
    await ground.later(listed !== undefined);
  }
  throw new Error(`the rollout of ${commit} does not come to ${phase}`);
}

async function stateOf({ api }: Ground, rollout: string): Promise<Rollout> {
  const planned = (await readRollout(api.log, rollout))?.planned;
  if (planned === undefined) throw new Error(`${rollout} has no plan`);
  return planned.rollout;
}

/** Things of its canaries, in order of their names. */
export async function canariesOf(ground: Ground, rollout: string): Promise<string[]> {
  const { targets } = await stateOf(ground, rollout);
  return Object.values(targets)
    .flatMap(({ order, canaryCount }) => order.slice(0, canaryCount))
    .toSorted();
}

/** How many devices have what a rollout brings, as Greengrass has it. */
export async function devicesOn(ground: Ground, rollout: string): Promise<number> {
  let count = 0;
  for (const { name, devices, candidate, lastGood } of (await stateOf(ground, rollout)).plan.targets) {
    const region = ground.regions.find(({ target }) => target.name === name);
    if (region === undefined) throw new Error(`there is no region of ${name}`);
    const brought = Object.entries(candidate.components).filter(
      ([component, { version }]) => lastGood.components[component]?.version !== version,
    );
    const installed = await eachOf(devices, ({ thing }) => versionsOn(region, thing));
    count += installed.filter((has) =>
      brought.every(([component, { version }]) => has.get(component) === version),
    ).length;
  }
  return count;
}

async function versionsOn({ greengrass }: Region, coreDeviceThingName: string): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  const pages = paginateListInstalledComponents({ client: greengrass }, { coreDeviceThingName });
  for await (const { installedComponents = [] } of pages)
    for (const { componentName = "", componentVersion = "" } of installedComponents)
      versions.set(componentName, componentVersion);
  return versions;
}

/** How the pipeline's execution of a commit stands. */
export async function executionOf(
  { regions: [{ codepipeline }] }: Ground,
  commit: string,
): Promise<string | undefined> {
  const pipelineName = PIPELINE_NAME;
  const { pipelineExecutionSummaries = [] } = await codepipeline.send(
    new ListPipelineExecutionsCommand({ pipelineName }),
  );
  const pipelineExecutionId = pipelineExecutionSummaries.find(({ sourceRevisions = [] }) =>
    sourceRevisions.some(({ revisionId }) => revisionId === commit),
  )?.pipelineExecutionId;
  if (pipelineExecutionId === undefined) return undefined;
  const { pipelineExecution } = await codepipeline.send(
    new GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId }),
  );
  return pipelineExecution?.status;
}
