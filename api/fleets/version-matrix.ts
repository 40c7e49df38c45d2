import type { Cohort, Fleet } from "@coalmine/contract/operator-api";

interface Installed {
  readonly cohort: Cohort;
  /** Component and version. */
  readonly versions: readonly (readonly [component: string, version: string])[];
}

/** How many devices of each cohort run a version, and on how many of them its group asks for another. */
export function versionMatrix(
  devices: Iterable<Installed>,
  askedOf: (cohort: Cohort, component: string) => string | undefined,
): Fleet["installed"] {
  const found = new Map<string, Fleet["installed"][number]>();
  for (const { cohort, versions } of devices)
    for (const [component, version] of versions) {
      const key = `${component} ${version}`;
      const line = found.get(key) ?? { component, version, canary: 0, main: 0, drifted: 0 };
      line[cohort]++;
      const asked = askedOf(cohort, component);
      if (asked !== undefined && asked !== version) line.drifted++;
      found.set(key, line);
    }
  return [...found.keys()].sort().flatMap((key) => found.get(key) ?? []);
}
