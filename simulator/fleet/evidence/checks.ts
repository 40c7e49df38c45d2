import { componentNames } from "@coalmine/contract";
import type { RegionEvent } from "../driven/region.ts";
import type { Release } from "../release/release-folder.ts";
import type { VersionHealth } from "./health.ts";
import type { LakeFindings } from "./lake.ts";
import type { LogFindings } from "./secrets.ts";

/** One thing that must hold, and what was found. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

/** How far a candidate may be from what runs now. */
const CONTROL_RESIDUAL_POINTS_MAX = 0.02;
const MODEL_RUN_RATIO_MAX = 2;
/** A window under way when its component is killed or updated has no result. */
const RESULTS_PER_WINDOW_MIN = 0.98;

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

/** The candidate's measurements and times beside those of what runs now. A component that is the same is not compared. */
export function comparisons(
  versions: readonly VersionHealth[],
  running: Release,
  candidate: Release,
): Check[] {
  const meanOf = (release: Release, component: string, sum: string): number | undefined => {
    const version = release.components.find((one) => one.component === component)?.version;
    return versions.find((one) => one.component === component && one.version === version)?.means[sum];
  };
  const sides = (component: string, sum: string): readonly [number | undefined, number | undefined] => [
    meanOf(running, component, sum),
    meanOf(candidate, component, sum),
  ];
  const compared = (
    name: string,
    [before, after]: readonly [number | undefined, number | undefined],
    holds: (before: number, after: number) => boolean,
  ): Check => ({
    name,
    ok: before !== undefined && after !== undefined && holds(before, after),
    found: `${told(after)} with the candidate, ${told(before)} with what runs now`,
  });
  return [
    compared(
      "the control residual is as it was",
      sides(componentNames.sensorReader, "controlResidual"),
      (before, after) => Math.abs(after - before) <= CONTROL_RESIDUAL_POINTS_MAX,
    ),
    compared(
      "a model run takes as long as it did",
      sides(componentNames.inference, "runMs"),
      (before, after) => after <= MODEL_RUN_RATIO_MAX * before,
    ),
  ];
}

function told(mean: number | undefined): string {
  return mean === undefined ? "nothing" : mean.toPrecision(3);
}

/** A component that gave up. */
export function brokenCheck(events: readonly RegionEvent[]): Check {
  const found = events.flatMap((event) =>
    event.kind === "device" && event.event.kind === "component" && event.event.component.state === "BROKEN"
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
