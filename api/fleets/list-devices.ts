import { type DeviceRow, type Devices, DevicesQuery, type Versions } from "@coalmine/contract/operator-api";
import { parseInput } from "../api.ts";
import type { FleetWatch } from "./fleet-watch.ts";

/** The devices of all fleets that a query asks for, a page of them. */
export async function listDevices(watches: readonly FleetWatch[], input: unknown): Promise<Devices> {
  const query = parseInput(DevicesQuery, input);
  const asked = watches.filter(({ fleet }) => query.fleet === undefined || fleet === query.fleet);
  const found: DeviceRow[] = [];
  const known: Record<string, Versions> = {};
  for (const watch of asked.toSorted((a, b) => (a.fleet < b.fleet ? -1 : 1))) {
    const { rows, sets } = await watch.look();
    Object.assign(known, sets);
    for (const row of rows.values()) if (fits(row, query, sets)) found.push(row);
  }
  const after = query.after;
  const rest = after === undefined ? found : found.filter((row) => placeOf(row) > after);
  const devices = rest.slice(0, query.limit);
  const last = devices.at(-1);
  const used = new Set(devices.map(({ set }) => set));
  return {
    devices,
    total: found.length,
    sets: Object.fromEntries(Object.entries(known).filter(([name]) => used.has(name))),
    ...(last === undefined || devices.length === rest.length ? {} : { next: placeOf(last) }),
  };
}

function placeOf({ fleet, thing }: DeviceRow): string {
  return `${fleet}/${thing}`;
}

function fits(
  { thing, cohort, state, site, set }: DeviceRow,
  query: DevicesQuery,
  sets: Readonly<Record<string, Versions>>,
): boolean {
  const text = query.text?.toLowerCase() ?? "";
  const [component = "", version] = query.runs?.split("@") ?? [];
  const runs = set === undefined ? undefined : sets[set]?.[component];
  return (
    (query.cohort === undefined || cohort === query.cohort) &&
    (query.state === undefined || state === query.state) &&
    `${thing} ${site ?? ""}`.toLowerCase().includes(text) &&
    (component === "" || (runs !== undefined && (version === undefined || runs === version)))
  );
}
