import { componentNames } from "@coalmine/contract";
import { messageOf } from "@coalmine/runtime";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { usualNames } from "../../driven/usual-settings.ts";
import { type Check, lakeCheck } from "../../evidence/checks.ts";
import { findingsOf, type LakeFindings, type Measured } from "../../evidence/lake.ts";
import { knownReleaseCheck } from "../../invariants/known-release.ts";
import { deployRelease, NotInstalled, untilInstalled } from "../../release/deploy.ts";
import { publishRelease } from "../../release/publish.ts";
import type { Release } from "../../release/release-folder.ts";
import type { ReleaseRegion } from "../../release/release-region.ts";
import { happeningsOf, type Happening } from "../../scenario/happenings.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import { toldMs } from "../../scenario/units.ts";
import { installedStates } from "./installed-states.ts";
import type { ProcessWorld } from "./process-world.ts";
import { isForProcesses, strikeProcess } from "./strike-process.ts";
import { wallRegion } from "./wall-region.ts";

/** On the wall's clock nobody waits for an hour's upload: data and logs go every few seconds. */
const merges = {
  [componentNames.streamUploader]: { bucket: usualNames.lakeBucket, flushIntervalSeconds: 2 },
  [componentNames.sensorReader]: { ports: "all", batchSeconds: 1 },
  [componentNames.logManager]: { periodicUploadIntervalSec: 5 },
};
const LOOK_MS = 2000;

export interface ProcessPlay {
  readonly scenario: Scenario;
  readonly seed: string;
  readonly running: Release;
  readonly candidate: Release;
  readonly progress: (sentence: string) => void;
}

/** What a scenario on process devices has come to, as far as expectations ask. */
export interface PlayedOnProcesses {
  readonly region: ReleaseRegion;
  readonly running: Release;
  readonly candidate: Release;
  readonly failures: readonly string[];
  readonly deployments: number;
  readonly measured: readonly Measured[];
  readonly lake: LakeFindings;
}

/** Plays a scenario in real time to its end, waits until what was measured has arrived, and gives what must hold. */
export async function playOnProcesses(world: ProcessWorld, play: ProcessPlay): Promise<readonly Check[]> {
  const { scenario, seed, running, candidate, progress } = play;
  const region = wallRegion(world);
  for (const release of new Set(scenario.releases.map((step) => releaseOf(step, play))))
    await publishRelease(region, release, usualNames.artifactBucket);
  progress("what is deployed is published");
  const fleet = region.devices.map(({ thingName }) => ({ thingName, site: "site", deviceClass: "gateway" }));
  const beganMs = clock.monotonicMs();
  const until = (atMs: number): Promise<void> =>
    clock.sleep(Math.max(0, beganMs + atMs - clock.monotonicMs()));
  const struck = happeningsOf(scenario.faults, seed, fleet).map((happening) =>
    happen(world, happening, until, progress),
  );
  const failures: string[] = [];
  for (const step of scenario.releases) {
    await until(step.at);
    const failure = await deployed(region, releaseOf(step, play), step.within, `scenario-${step.at}`);
    if (failure !== undefined) failures.push(failure);
    progress(
      `at ${toldMs(clock.monotonicMs() - beganMs)}: ${failure ?? "every device has what was deployed"}`,
    );
  }
  await until(scenario.lasts);
  const faults = await Promise.all(struck);
  // They measure no more, and end when all that they measured is acknowledged.
  await world.fleet.instruments.stop();
  const measured = await measuredBy(world);
  const lake = await arrived(world, measured, scenario.settles);
  progress(`at ${toldMs(clock.monotonicMs() - beganMs)}: ${lake.rows} rows are in the lake`);
  const { pssBytes } = await world.fleet.memory();
  const of: PlayedOnProcesses = {
    region,
    running,
    candidate,
    failures,
    deployments: scenario.releases.length,
    measured,
    lake,
  };
  const expected: Check[] = [];
  for (const { checkOnProcesses } of scenario.expect) expected.push(await checkOnProcesses(of));
  return [
    lakeCheck(lake),
    await knownReleaseCheck({ region, releases: [running, candidate] }),
    await brokenCheck(region, scenario.mayBreak),
    {
      name: "bounded memory",
      ok: pssBytes <= scenario.bounds.memory,
      found: `${Math.round(pssBytes / 1024 ** 2)} MiB of all processes together`,
    },
    ...(faults.length === 0 ? [] : [faultsCheck(faults)]),
    ...expected,
  ];
}

function releaseOf(step: Scenario["releases"][number], { running, candidate }: ProcessPlay): Release {
  return "release" in step && step.release === "candidate" ? candidate : running;
}

/** Why it did not arrive, if so. */
async function deployed(
  region: ReleaseRegion,
  release: Release,
  withinMs: number,
  name: string,
): Promise<string | undefined> {
  const deploymentId = await deployRelease(region, release, usualNames.fleetGroup, name, merges);
  try {
    await untilInstalled(region, release, withinMs, deploymentId);
    return undefined;
  } catch (late) {
    if (!(late instanceof NotInstalled)) throw late;
    return late.message;
  }
}

interface Struck {
  readonly what: string;
  readonly why: string | undefined;
}

async function happen(
  world: ProcessWorld,
  { fault, atMs, things = [] }: Happening,
  until: (atMs: number) => Promise<void>,
  progress: (sentence: string) => void,
): Promise<Struck> {
  const what = `${fault.kind} at ${toldMs(atMs)}`;
  if (!isForProcesses(fault)) return { what, why: "it is for hosted devices" };
  await until(atMs);
  progress(`${what} strikes ${things.join(", ")}`);
  try {
    const hits = await Promise.all(things.map((thing) => strikeProcess(world, fault, thing, clock)));
    return { what, why: hits.includes(true) ? undefined : "it struck nobody" };
  } catch (failure) {
    return { what, why: messageOf(failure) };
  }
}

function faultsCheck(faults: readonly Struck[]): Check {
  const missing = faults.flatMap(({ what, why }) => (why === undefined ? [] : [`${what}: ${why}`]));
  return {
    name: "every fault happened",
    ok: missing.length === 0,
    found: [`${faults.length - missing.length} of ${faults.length}`, ...missing.slice(0, 3)].join("; "),
  };
}

async function brokenCheck(region: ReleaseRegion, mayBreak: readonly string[]): Promise<Check> {
  const broken: string[] = [];
  for (const { thingName } of region.devices)
    for (const { name, state } of await installedStates(region.cloud, thingName))
      if (state === "BROKEN" && !mayBreak.includes(name)) broken.push(`${name} on ${thingName}`);
  return {
    name: "no component broken",
    ok: broken.length === 0,
    found: broken.length === 0 ? "none" : broken.join("; "),
  };
}

/** By the instruments' own ledger: sequences of one start have no holes. */
async function measuredBy({ fleet }: ProcessWorld): Promise<readonly Measured[]> {
  const sent = await fleet.sentReadings();
  return fleet.devices.flatMap(({ name, site: { instrument } }) =>
    [...Map.groupBy(sent.get(instrument) ?? [], ({ boot }) => boot)].map(([boot, of]): Measured => ({
      thing: name,
      instrument,
      boot,
      readings: of.length,
      channels: of[0]?.channels ?? 0,
    })),
  );
}

/** Looks until everything is there, or the time to settle is over. */
async function arrived(
  { cloud }: ProcessWorld,
  measured: readonly Measured[],
  withinMs: number,
): Promise<LakeFindings> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  for (;;) {
    const found = await findingsOf(cloud, usualNames.lakeBucket, { measured, hasLedger: () => true });
    if (found.lost === 0 || clock.monotonicMs() >= deadlineMs) return found;
    await clock.sleep(LOOK_MS);
  }
}
