import type { RegionEvent } from "../driven/region.ts";
import { usualNames } from "../driven/usual-settings.ts";
import type { WitnessedRegion } from "../evidence/witnessed-region.ts";
import { deployRelease, NotInstalled, untilInstalled } from "../release/deploy.ts";
import type { Release } from "../release/release-folder.ts";
import type { Scenario } from "./scenario.ts";

type Step = Scenario["releases"][number];

/** What became of one release or configuration of a scenario. */
export interface Deployed {
  readonly told: string;
  /** Why it did not arrive, where it should have. */
  readonly failure: string | undefined;
  readonly isRefusalWanted: boolean;
  /** Devices on which its deployment failed. */
  readonly refusals: number;
  /** From begin to end, on each device that ended it. */
  readonly tookMs: readonly number[];
}

const STEP_MS = 10_000;

/** Deploys one step to the whole fleet, and drives the clock until it is everywhere, or refused everywhere. */
export async function deployStep(
  { region, events }: WitnessedRegion,
  step: Step,
  release: Release,
): Promise<Deployed> {
  const eventsBefore = events.length;
  const isRefusalWanted = "refused" in step && step.refused;
  const [what, merges] =
    "release" in step
      ? ([`the ${step.release} release`, {}] as const)
      : ([`a configuration of ${step.configure}`, { [step.configure]: step.merge }] as const);
  const deploymentId = await deployRelease(
    region,
    release,
    usualNames.fleetGroup,
    `scenario-${step.at}`,
    merges,
  );
  const ended = () => endedIn(events, eventsBefore);
  let failure: string | undefined;
  try {
    if ("release" in step) await untilInstalled(region, release, step.within, deploymentId);
    else {
      const deadline = region.clock.now() + step.within;
      while (ended().things < region.devices.length) {
        if (region.clock.now() >= deadline)
          throw new NotInstalled(
            `${ended().things} of ${region.devices.length} devices have answered to ${what} in time`,
          );
        await region.turn.run(region.clock.now() + STEP_MS);
      }
    }
  } catch (late) {
    if (!(late instanceof NotInstalled)) throw late;
    failure = `${what}: ${late.message}`;
  }
  const { failed, tookMs, why } = ended();
  if (!isRefusalWanted && failure === undefined && failed > 0 && !("release" in step))
    failure = `${what}: ${failed} devices refuse it (${why})`;
  const end = isRefusalWanted ? `${failed} devices refuse ${what}` : `every device has ${what}`;
  return { told: failure ?? end, failure, isRefusalWanted, refusals: failed, tookMs };
}

/** Deployments that ended since, by what the devices say. */
function endedIn(events: readonly RegionEvent[], from: number) {
  const began = new Map<string, number>();
  const things = new Set<string>();
  const tookMs: number[] = [];
  let failed = 0;
  let why = "";
  for (const event of events.slice(from)) {
    if (event.kind !== "device" || event.event.kind !== "deployment") continue;
    const { id, result } = event.event;
    const key = `${event.thingName} ${id}`;
    if (result === undefined) {
      if (!began.has(key)) began.set(key, event.at);
      continue;
    }
    things.add(event.thingName);
    tookMs.push(event.at - (began.get(key) ?? event.at));
    if (result.status === "SUCCEEDED") continue;
    failed++;
    why ||= result.detailedStatus ?? result.status;
  }
  return { things: things.size, failed, tookMs, why };
}
