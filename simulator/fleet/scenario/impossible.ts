import type { Scenario } from "./scenario.ts";

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
  return found;
}

function hasClass(classes: ReadonlySet<string>, name: string): boolean {
  return classes.has(name);
}
