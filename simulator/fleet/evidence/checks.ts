import { componentNames } from "@coalmine/contract";
import type { DrivenRegion, RegionEvent } from "../driven/region.ts";
import { modelOf, type Release } from "../release/release-folder.ts";
import type { HealthWitness, VersionHealth } from "./health.ts";
import type { LakeFindings } from "./lake.ts";
import type { LogFindings } from "./secrets.ts";
import type { Span } from "./values.ts";

/** One thing that must hold, and what was found. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

/**
 * How far a candidate may be from what runs now. An hour of eight devices knows the mean residual to 0.1 points, so one
 * point is far outside chance and less than half of what an error of 3 % adds.
 */
const CONTROL_RESIDUAL_POINTS_MAX = 0.01;
const MODEL_RUN_RATIO_MAX = 2;
/** Charged to the device's clock, where the machine does not count: chance moves an hour's mean by some per cent. */
const WINDOW_RUN_RATIO_MAX = 1.5;
/** A window under way when its component is killed or updated has no result. */
const RESULTS_PER_WINDOW_MIN = 0.98;

/** Of those due. */
const HEARTBEATS = { least: 0.95, most: 1.1 } as const;

export function lakeCheck(lake: LakeFindings): Check {
  const { lost, doubled, unknown, rows, objects, examples } = lake;
  return {
    name: "nothing lost or doubled",
    ok: lost === 0 && doubled === 0 && unknown === 0 && rows > 0,
    found: `${rows} rows in ${objects} objects; ${lost} points lost, ${doubled} doubled, ${unknown} that nobody measured${examples.map((example) => `; ${example}`).join("")}`,
  };
}

export function logCheck({ lines, leaks }: LogFindings): Check {
  return {
    name: "logs hold no secrets",
    ok: leaks.length === 0 && lines > 0,
    found: `${lines} lines${leaks
      .slice(0, 3)
      .map((leak) => `; a secret in ${leak}`)
      .join("")}`,
  };
}

/** What the fleet's own counters must say whatever runs. */
export function counterChecks(versions: readonly VersionHealth[]): Check[] {
  const total = (component: string, counter: string): number =>
    versions
      .filter((one) => one.component === component)
      .reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);
  const gaps = total(componentNames.sensorReader, "gaps");
  const refused = total(componentNames.streamUploader, "refused");
  const windows = total(componentNames.inference, "windows");
  const results = total(componentNames.inference, "results");
  const failed = total(componentNames.inference, "failed");
  return [
    {
      name: "no gaps, nothing refused",
      ok: gaps === 0 && refused === 0,
      found: `${gaps} gaps, ${refused} points refused`,
    },
    {
      name: "every window has its result",
      ok: windows > 0 && failed === 0 && results >= RESULTS_PER_WINDOW_MIN * windows,
      found: `${results} results of ${windows} windows, ${failed} failed`,
    },
  ];
}

/** A device sends one a minute, whatever it has to say; one without power sends none, and a start begins anew. */
export function heartbeatCheck(
  health: Pick<HealthWitness, "sentWithin">,
  devices: number,
  { fromMs, untilMs }: Span,
): Check {
  const due = devices * ((untilMs - fromMs) / 60_000);
  const sent = health.sentWithin(fromMs, untilMs);
  return {
    name: "a heartbeat a minute and device",
    ok: sent >= HEARTBEATS.least * due && sent <= HEARTBEATS.most * due,
    found: `${sent} of ${Math.round(due)}`,
  };
}

/** The candidate's measurements beside those of what runs now, over everything that either reported. */
export function residualCheck(
  versions: readonly VersionHealth[],
  running: Release,
  candidate: Release,
): Check {
  const mean = (release: Release): number | undefined =>
    meanOf(versions, release, componentNames.sensorReader, "controlResidual");
  const [before, after] = [mean(running), mean(candidate)];
  return {
    name: "the control residual is as it was",
    ok:
      before !== undefined && after !== undefined && Math.abs(after - before) <= CONTROL_RESIDUAL_POINTS_MAX,
    found: `${told(after)} with the candidate, ${told(before)} with what runs now`,
  };
}

/** What scoring a window costs the device: how often the candidate asks its model, whichever model that is. */
export function windowTimeCheck(
  versions: readonly VersionHealth[],
  running: Release,
  candidate: Release,
): Check {
  const mean = (release: Release): number | undefined =>
    meanOf(versions, release, componentNames.inference, "runMs");
  const [before, after] = [mean(running), mean(candidate)];
  return {
    name: "a window is scored in the time that it took",
    ok: before !== undefined && after !== undefined && after <= WINDOW_RUN_RATIO_MAX * before,
    found: `${told(after, " ms")} with the candidate, ${told(before, " ms")} with what runs now`,
  };
}

function meanOf(
  versions: readonly VersionHealth[],
  release: Release,
  component: string,
  observed: string,
): number | undefined {
  const version = release.components.find((one) => one.component === component)?.version;
  return versions.find((one) => one.component === component && one.version === version)?.means[observed];
}

/** How long a run of the candidate's model really took on this machine, beside the model that runs now. */
export function modelTimeCheck(
  { models }: DrivenRegion,
  running: Release | undefined,
  candidate: Release,
): Check {
  const modelNow = running === undefined ? undefined : modelOf(running);
  const modelNext = modelOf(candidate);
  const [before, after] = [modelNow, modelNext].map((model) =>
    model === undefined ? undefined : models.medianRunMs(model.sha256),
  );
  const isSame = modelNow === undefined || modelNow.sha256 === modelNext?.sha256;
  return {
    name: "a model run takes as long as it did",
    ok: after !== undefined && (isSame || (before !== undefined && after <= MODEL_RUN_RATIO_MAX * before)),
    found: isSame
      ? `${told(after, " ms")}; no other model to compare it with`
      : `${told(after, " ms")} with the candidate, ${told(before, " ms")} with what runs now`,
  };
}

function told(mean: number | undefined, unit = ""): string {
  return mean === undefined ? "nothing" : `${mean.toPrecision(3)}${unit}`;
}

/** A component that gave up, but those that something planted may bring to it. */
export function brokenCheck(events: readonly RegionEvent[], mayBreak: readonly string[] = []): Check {
  const found = events.flatMap((event) =>
    event.kind === "device" &&
    event.event.kind === "component" &&
    event.event.component.state === "BROKEN" &&
    !mayBreak.includes(event.event.component.name)
      ? [`${event.event.component.name} ${event.event.component.version} on ${event.thingName}`]
      : [],
  );
  return { name: "no component broken", ok: found.length === 0, found: listed(found) };
}

/** What devices said of deployments when they ended. */
export function deploymentCheck(events: readonly RegionEvent[]): Check {
  const ended = events.flatMap((event) =>
    event.kind === "device" && event.event.kind === "deployment" && event.event.result !== undefined
      ? [{ thing: event.thingName, result: event.event.result }]
      : [],
  );
  const failed = ended.filter(({ result }) => result.status !== "SUCCEEDED");
  return {
    name: "no deployment failed",
    ok: failed.length === 0 && ended.length > 0,
    found: `${ended.length} ended; ${listed(failed.map(({ thing, result }) => `${result.detailedStatus} on ${thing}`))}`,
  };
}

function listed(found: readonly string[]): string {
  return found.length === 0 ? "none" : found.slice(0, 3).join("; ");
}
