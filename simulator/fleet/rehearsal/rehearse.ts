import { componentNames } from "@coalmine/contract";
import type { SeededRandom } from "@coalmine/runtime";
import { LOG_FILE_BYTES } from "../../core-device/lifecycle/output-log.ts";
import {
  brokenCheck,
  counterChecks,
  deploymentCheck,
  heartbeatCheck,
  lakeCheck,
  logCheck,
  modelTimeCheck,
  residualCheck,
  windowTimeCheck,
  type Check,
} from "../evidence/checks.ts";
import { lakeFindings } from "../evidence/lake.ts";
import { lifecycleChecks, type PlannedEnd } from "../evidence/lifecycle.ts";
import { LogLines } from "../evidence/log-lines.ts";
import { logFindings } from "../evidence/secrets.ts";
import { configurationCheck, fleetUse, type FleetUse, useChecks } from "../evidence/use.ts";
import { LakeValues, type Span } from "../evidence/values.ts";
import type { WitnessedRegion } from "../evidence/witnessed-region.ts";
import { drawn, lineText, type LoadLine } from "../driven/reference-load.ts";
import type { HostedDevice } from "../hosted/hosted-device.ts";
import { usualNames } from "../driven/usual-settings.ts";
import { deployRelease, untilInstalled } from "../release/deploy.ts";
import { publishRelease } from "../release/publish.ts";
import type { Release } from "../release/release-folder.ts";
import type { Course } from "./course.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A device that is reached at once has the release within this; one that was cut off, after it is back. */
const INSTALL_MS_MAX = 20 * MINUTE_MS;
const CUT_DEVICES = 2;
const CUT_MS = 10 * MINUTE_MS;
/** Longer than the hour after which an upload is due. */
const OFFLINE_MS = 65 * MINUTE_MS;
const FILLING = "what a component says that is not well, at 37 °C and 4 mPa·s; ".repeat(16);
const CONFIGURED_HEALTH_SECONDS = 15;
/** A deployment that only changes configuration is done within this. */
const CONFIGURE_MS = 3 * MINUTE_MS;
const CONFIGURED_MS = 6 * MINUTE_MS;
/** Log lines of a device that can be reached are in the cloud within this. */
const LOG_LATE_MS = 15 * MINUTE_MS;
const reporting = [
  componentNames.sensorReader,
  componentNames.inference,
  componentNames.streamUploader,
  componentNames.logManager,
];
/** Hourly Parquet: what was measured last is uploaded within this. */
const FLUSH_MS = HOUR_MS + 15 * MINUTE_MS;

export interface Rehearsed extends WitnessedRegion {
  readonly random: SeededRandom;
  readonly candidate: Release;
  /** What the fleet runs now; nothing before the first release. */
  readonly running: Release | undefined;
  /** Where it is written down how it goes. */
  readonly course: Course;
  readonly progress: (sentence: string) => void;
}

export const upgradeScenario = {
  name: "upgrade-and-back",
  about:
    "From what runs now to the candidate and back, while every device measures, and with links, a component and the power of some lost on the way.",
};

/** A release under load and faults, from what runs now to the candidate and back. Gives what must hold, and what was found. */
export async function rehearse(of: Rehearsed): Promise<readonly Check[]> {
  const { region, running, candidate, health, events, secrets, lines, course, progress } = of;
  const { clock } = region;
  const hours = (count: number): Promise<unknown> => region.turn.run(clock.now() + count * HOUR_MS);
  const publish = (release: Release) => publishRelease(region, release, usualNames.artifactBucket);
  if (running !== undefined) await publish(running);
  // Before the first hour: a version that is taken need not wait for it.
  await publish(candidate);
  let before: readonly [FleetUse, FleetUse] | undefined;
  if (running !== undefined) {
    course.phase("What runs now is installed, and runs for an hour");
    await install(of, running, "running");
    const began = fleetUse(of);
    await hours(1);
    before = [began, fleetUse(of)];
    progress("what runs now has run for an hour");
  }
  course.phase(
    running === undefined
      ? "The candidate is installed on devices that run nothing"
      : "Upgrade to the candidate while devices measure",
  );
  await (running === undefined ? install(of, candidate, "candidate") : upgradeUnderFaults(of));
  progress("every device reports the candidate");
  course.phase("The candidate runs for two hours, and devices are troubled");
  const upgraded = fleetUse(of);
  const killed = await troubledHours(of, 2);
  const after = [upgraded, fleetUse(of)] as const;
  progress(
    "the candidate has run for two hours, with a killed component, a power cut, a dead line and a full log",
  );
  course.phase("The configuration is changed while everything runs");
  const configured = await configuredSpell(of);
  if (running !== undefined) {
    course.phase("Rollback to what runs now, and an hour of it");
    await install(of, running, "roll-back");
    await hours(1);
    progress("every device is back on what runs now");
  }
  course.phase("Instruments rest, and what was measured is uploaded");
  for (const device of region.devices) device.instrument.rest();
  await region.turn.run(clock.now() + FLUSH_MS);
  await untilInstalled(region, running ?? candidate, 0);
  const versions = health.versions();
  const values = new LakeValues(before === undefined ? undefined : spanOf(before), spanOf(after));
  const logLines = new LogLines();
  return [
    lakeCheck(await lakeFindings(region, usualNames.lakeBucket, values.look)),
    ...values.checks(),
    ...counterChecks(versions),
    heartbeatCheck(health, region.devices.length, spanOf(after)),
    ...(running === undefined
      ? []
      : [residualCheck(versions, running, candidate), windowTimeCheck(versions, running, candidate)]),
    modelTimeCheck(region, running, candidate),
    brokenCheck(events),
    ...lifecycleChecks(events, killed),
    deploymentCheck(events),
    ...(before === undefined ? [] : useChecks(before, after)),
    configurationCheck(configured, CONFIGURED_HEALTH_SECONDS),
    logCheck(await logFindings(region, secrets, logLines.read)),
    logLines.check(lines, clock.now() - LOG_LATE_MS),
  ];
}

function spanOf([from, until]: readonly [FleetUse, FleetUse]): Span {
  return { fromMs: from.atMs, untilMs: until.atMs };
}

async function install({ region }: Rehearsed, release: Release, name: string): Promise<void> {
  const deploymentId = await deployRelease(region, release, usualNames.fleetGroup, name);
  await untilInstalled(region, release, INSTALL_MS_MAX, deploymentId);
}

/** Some devices cannot be reached when the deployment begins, and must find out by themselves when they are back. */
async function upgradeUnderFaults(of: Rehearsed): Promise<void> {
  const { region, candidate, random, course, progress } = of;
  const share = Math.min(1, CUT_DEVICES / region.devices.length);
  const cut = drawn(random.fork("upgrade"), region.devices, share);
  for (const device of cut) device.network.cut();
  course.fault("Link cut while the deployment begins", cut, CUT_MS);
  const deploymentId = await deployRelease(region, candidate, usualNames.fleetGroup, "candidate");
  await region.turn.run(region.clock.now() + CUT_MS);
  for (const device of cut) device.network.restore();
  progress(
    `${cut.map(({ thingName }) => thingName).join(" and ")} were cut off for ten minutes of the upgrade`,
  );
  await untilInstalled(region, candidate, INSTALL_MS_MAX, deploymentId);
}

/**
 * One device is cut off for longer than an upload waits, one has a component log so much that its file is rotated, one
 * loses a component and one its power for a minute. Gives what was killed.
 */
async function troubledHours(
  { region, random, lines, course }: Rehearsed,
  hours: number,
): Promise<PlannedEnd[]> {
  const { clock, turn } = region;
  const end = clock.now() + hours * HOUR_MS;
  const [one, other, third, fourth] = drawn(random.fork("trouble"), region.devices, 1);
  await turn.run(clock.now() + 20 * MINUTE_MS);
  course.fault("Link cut for longer than an upload waits", [third], OFFLINE_MS);
  const restore = third?.network.cut();
  clock.timer(OFFLINE_MS, () => restore?.());
  course.fault("So much is logged that the log file is rotated", [fourth]);
  if (fourth !== undefined) await turn.change(async () => fillLog(fourth, clock.now(), lines));
  await turn.run(clock.now() + 10 * MINUTE_MS);
  course.fault(`${componentNames.streamUploader} is killed`, [one]);
  const killed = one?.kill(componentNames.streamUploader) === true;
  const planned = killed
    ? [{ thingName: one.thingName, component: componentNames.streamUploader, atMs: clock.now() }]
    : [];
  await turn.run(clock.now() + 10 * MINUTE_MS);
  course.fault("Power cut", [other], MINUTE_MS);
  await turn.change(async () => other?.cutPower());
  await turn.run(clock.now() + MINUTE_MS);
  await turn.change(async () => other?.start());
  await turn.run(end);
  return planned;
}

/** More than a log file holds, so that it is rotated. */
function fillLog(device: HostedDevice, nowMs: number, lines: LoadLine[]): void {
  const source = componentNames.sensorReader;
  for (let line = 0; line < LOG_FILE_BYTES / FILLING.length + 1; line++) {
    const one = { thing: device.thingName, source, timestamp: Math.round(nowMs), line };
    lines.push(one);
    device.write(source, lineText(one, FILLING));
  }
}

/** Every component is told to say its health more often, while it runs. Gives what was used from then on. */
async function configuredSpell(of: Rehearsed): Promise<readonly [FleetUse, FleetUse]> {
  const { region, candidate, progress } = of;
  const { clock, turn } = region;
  const change = { healthIntervalSeconds: CONFIGURED_HEALTH_SECONDS };
  const merged = Object.fromEntries(reporting.map((component) => [component, change]));
  await deployRelease(region, candidate, usualNames.fleetGroup, "configuration", merged);
  await turn.run(clock.now() + CONFIGURE_MS);
  const began = fleetUse(of);
  await turn.run(clock.now() + CONFIGURED_MS);
  progress("the configuration was changed while everything ran");
  return [began, fleetUse(of)];
}
