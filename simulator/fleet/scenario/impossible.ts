import { PROCESS_DEVICES_MAX } from "../process/process-fleet.ts";
import { isForProcesses, processFaultKinds } from "../process/scenario/strike-process.ts";
import type { Scenario } from "./scenario.ts";
import { toldMs } from "./units.ts";

/** From one curve to the next, at least. */
const CURVE_MS_MIN = { hosted: 60_000, process: 15_000 } as const;
/** In real time somebody waits for it. */
const PROCESS_LASTS_MS_MAX = 30 * 60_000;

interface Impossibility {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What each line may say by itself, and all together cannot be. */
export function impossibilities(scenario: Scenario): readonly Impossibility[] {
  const { fleet, faults, releases, expect, lasts } = scenario;
  const found: Impossibility[] = [];
  const refuse = (path: Impossibility["path"], message: string): void => void found.push({ path, message });
  const names = fleet.sites.map(({ name }) => name);
  if (new Set(names).size !== names.length) refuse(["fleet", "sites"], "two sites have one name");
  const whole = fleet.sites.reduce((sum, { share }) => sum + share, 0);
  if (Math.abs(whole - 1) > 1e-6)
    refuse(["fleet", "sites"], `the sites' shares are ${Number(whole.toFixed(4))} together, and must be 1`);
  const classes = new Set(fleet.sites.map(({ deviceClass }) => deviceClass));
  for (const [index, fault] of faults.entries()) {
    const path = (name: string) => ["faults", index, name] as const;
    if ("site" in fault && fault.site !== undefined && !names.includes(fault.site))
      refuse(path("site"), `there is no site ${fault.site}; there are ${names.join(", ")}`);
    if ("deviceClass" in fault && fault.deviceClass !== undefined && !hasClass(classes, fault.deviceClass))
      refuse(path("deviceClass"), `no device is ${fault.deviceClass}; there are ${[...classes].join(", ")}`);
    for (const name of ["at", "from", "until"] as const)
      if ((fault[name] ?? 0) > lasts) refuse(path(name), `${name} is after the scenario's end`);
  }
  const [first] = releases;
  if (first !== undefined && !("release" in first))
    refuse(["releases", 0], "a release comes before the first configuration");
  for (const [index, { at }] of releases.entries()) {
    if (at > lasts) refuse(["releases", index, "at"], "at is after the scenario's end");
    if (at < (releases[index - 1]?.at ?? 0))
      refuse(["releases", index, "at"], "at is before the one above it");
  }
  for (const [index, { text, impossible }] of expect.entries()) {
    const why = impossible(scenario);
    if (why !== undefined) refuse(["expect", index], `"${text}" cannot come true: ${why}`);
  }
  const { runsOn, load } = scenario;
  if (load.curveEvery < CURVE_MS_MIN[runsOn])
    refuse(["load", "curveEvery"], `at most one curve in ${toldMs(CURVE_MS_MIN[runsOn])}`);
  if (runsOn === "process") for (const { path, message } of onProcesses(scenario)) refuse(path, message);
  return found;
}

/** What is for hosted devices alone. */
function onProcesses({ fleet, faults, releases, expect, lasts }: Scenario): readonly Impossibility[] {
  const found: Impossibility[] = [];
  const refuse = (path: Impossibility["path"], message: string): void => void found.push({ path, message });
  if (fleet.devices > PROCESS_DEVICES_MAX)
    refuse(["fleet", "devices"], `a machine carries ${PROCESS_DEVICES_MAX} process devices; say how many`);
  if (fleet.sites.length > 1) refuse(["fleet", "sites"], "process devices stand at one site");
  if (lasts > PROCESS_LASTS_MS_MAX)
    refuse(["lasts"], `process devices run in real time: at most ${toldMs(PROCESS_LASTS_MS_MAX)}`);
  for (const [index, fault] of faults.entries()) {
    if (!isForProcesses(fault))
      refuse(
        ["faults", index, "kind"],
        `${fault.kind} is for hosted devices; process devices know ${processFaultKinds.join(", ")}`,
      );
    if (fault.stage !== undefined)
      refuse(["faults", index, "stage"], "process devices tell nobody of stages");
  }
  for (const [index, step] of releases.entries())
    if (!("release" in step)) refuse(["releases", index], "process devices are given releases alone");
  for (const [index, { text, isForProcesses: isKnown }] of expect.entries())
    if (!isKnown) refuse(["expect", index], `nobody can check "${text}" on process devices`);
  return found;
}

function hasClass(classes: ReadonlySet<string>, name: string): boolean {
  return classes.has(name);
}
