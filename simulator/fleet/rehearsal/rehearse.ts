import { componentNames } from "@coalmine/contract";
import type { SeededRandom } from "@coalmine/runtime";
import {
  brokenCheck,
  counterChecks,
  deploymentCheck,
  lakeCheck,
  logCheck,
  modelTimeCheck,
  residualCheck,
  windowTimeCheck,
  type Check,
} from "../evidence/checks.ts";
import { lakeFindings } from "../evidence/lake.ts";
import { logFindings } from "../evidence/secrets.ts";
import type { WitnessedRegion } from "../evidence/witnessed-region.ts";
import { drawn } from "../driven/reference-load.ts";
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
  const { region, running, candidate, health, events, secrets, course, progress } = of;
  const hours = (count: number): Promise<unknown> => region.turn.run(region.clock.now() + count * HOUR_MS);
  const publish = (release: Release) => publishRelease(region, release, usualNames.artifactBucket);
  if (running !== undefined) await publish(running);
  // Before the first hour: a version that is taken need not wait for it.
  await publish(candidate);
  if (running !== undefined) {
    course.phase("What runs now is installed, and runs for an hour");
    await install(of, running, "running");
    await hours(1);
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
  await troubledHours(of, 2);
  progress("the candidate has run for two hours, with a killed component and a power cut");
  if (running !== undefined) {
    course.phase("Rollback to what runs now, and an hour of it");
    await install(of, running, "roll-back");
    await hours(1);
    progress("every device is back on what runs now");
  }
  course.phase("Instruments rest, and what was measured is uploaded");
  for (const device of region.devices) device.instrument.rest();
  await region.turn.run(region.clock.now() + FLUSH_MS);
  await untilInstalled(region, running ?? candidate, 0);
  const versions = health.versions();
  return [
    lakeCheck(await lakeFindings(region, usualNames.lakeBucket)),
    ...counterChecks(versions),
    ...(running === undefined
      ? []
      : [residualCheck(versions, running, candidate), windowTimeCheck(versions, running, candidate)]),
    modelTimeCheck(region, running, candidate),
    brokenCheck(events),
    deploymentCheck(events),
    logCheck(await logFindings(region, secrets)),
  ];
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

/** Half an hour after the start one device loses a component, and another its power for a minute. */
async function troubledHours({ region, random, course }: Rehearsed, hours: number): Promise<void> {
  const { clock, turn } = region;
  const end = clock.now() + hours * HOUR_MS;
  await turn.run(clock.now() + 30 * MINUTE_MS);
  const [one, other] = drawn(random.fork("trouble"), region.devices, 1);
  course.fault(`${componentNames.streamUploader} is killed`, [one]);
  one?.kill(componentNames.streamUploader);
  await turn.run(clock.now() + 10 * MINUTE_MS);
  course.fault("Power cut", [other], MINUTE_MS);
  await turn.change(async () => other?.cutPower());
  await turn.run(clock.now() + MINUTE_MS);
  await turn.change(async () => other?.start());
  await turn.run(end);
}
