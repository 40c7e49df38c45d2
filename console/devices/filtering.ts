import type { DeviceRow, Versions } from "@coalmine/contract/operator-api";
import type { DeviceFilter } from "../place/place.ts";

type Sets = Readonly<Record<string, Versions>>;

/** The rows that fit, in their order. */
export function fitting(rows: readonly DeviceRow[], sets: Sets, filter: DeviceFilter): DeviceRow[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const running = setsThatRun(sets, filter.runs.trim());
  return rows.filter(
    ({ thing, site = "", fleet, cohort, state, set = "" }) =>
      (filter.fleet === "" || filter.fleet === fleet) &&
      (filter.cohort === "" || filter.cohort === cohort) &&
      (filter.state === "" || filter.state === state) &&
      (running === undefined || running.has(set)) &&
      words.every((word) => thing.toLowerCase().includes(word) || site.toLowerCase().includes(word)),
  );
}

/** A thousand devices share a handful of sets: each is looked into once. Undefined where all fit. */
function setsThatRun(sets: Sets, runs: string): ReadonlySet<string> | undefined {
  if (runs === "") return undefined;
  const [component = "", version] = runs.split("@", 2);
  const fit = (versions: Versions): boolean => {
    const installed = versions[component];
    return installed !== undefined && (version === undefined || version === installed);
  };
  return new Set(Object.keys(sets).filter((name) => fit(sets[name] ?? {})));
}
