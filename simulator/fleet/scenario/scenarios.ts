import { brokenCheck, counterChecks, deploymentCheck, lakeCheck, type Check } from "../evidence/checks.ts";
import { lakeFindings } from "../evidence/lake.ts";
import type { WitnessedRegion } from "../evidence/witnessed-region.ts";
import { usualNames } from "../driven/usual-settings.ts";
import { deployRelease, untilInstalled } from "../release/deploy.ts";
import { publishRelease } from "../release/publish.ts";
import type { Release } from "../release/release-folder.ts";
import { scheduleSteps, type Step } from "./steps.ts";

const HOUR_MS = 3_600_000;
/** With a bad line a device may be late by the longest cut and its way back. */
const INSTALL_MS_MAX = 90 * 60_000;
const FLUSH_MS = 2.25 * HOUR_MS;

export const scenarioNames = ["steady-day", "upgrade"] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Staged extends WitnessedRegion {
  readonly running: Release;
  /** What `upgrade` upgrades to. */
  readonly candidate: Release;
  readonly progress: (sentence: string) => void;
}

/** A day at the reference load; or an upgrade in the middle of four hours of it. */
const scenarios: Readonly<Record<ScenarioName, (of: Staged) => Promise<void>>> = {
  "steady-day": async (of) => {
    await install(of, of.running);
    for (let hour = 0; hour < 24; hour += 6) {
      await hours(of, 6);
      of.progress(`${hour + 6} hours have passed`);
    }
  },
  upgrade: async (of) => {
    await install(of, of.running);
    await hours(of, 2);
    await install(of, of.candidate);
    of.progress("every device reports the candidate");
    await hours(of, 2);
  },
};

/** Plays it to its end, waits until everything measured is uploaded, and gives what must hold. Steps count from here. */
export async function play(
  name: ScenarioName,
  of: Staged,
  steps: readonly Step[] = [],
): Promise<readonly Check[]> {
  const stepsCheck = scheduleSteps(of.region, steps);
  await scenarios[name](of);
  for (const device of of.region.devices) device.instrument.rest();
  await of.region.turn.run(of.region.clock.now() + FLUSH_MS);
  return [
    lakeCheck(await lakeFindings(of.region, usualNames.lakeBucket)),
    ...counterChecks(of.health.versions()),
    brokenCheck(of.events),
    deploymentCheck(of.events),
    ...(steps.length === 0 ? [] : [stepsCheck()]),
  ];
}

async function install({ region, progress }: Staged, release: Release): Promise<void> {
  await publishRelease(region, release, usualNames.artifactBucket);
  const deploymentId = await deployRelease(region, release, usualNames.fleetGroup, "scenario");
  await untilInstalled(region, release, INSTALL_MS_MAX, deploymentId);
  progress("every device runs the release");
}

function hours({ region }: Staged, count: number): Promise<unknown> {
  return region.turn.run(region.clock.now() + count * HOUR_MS);
}
