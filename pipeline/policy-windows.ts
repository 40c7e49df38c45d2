import { targetPolicy, type Policy } from "./policy.ts";
import { DEVICE_ZONE, isOpen, isZone, opensAt, type Windows } from "./rollout/windows.ts";

/** Thing → what its attribute `timezone` says. */
export type DeviceZones = Readonly<Record<string, string | undefined>>;

const THINGS_TOLD_MAX = 5;
const QUARTER_MS = 15 * 60_000;
const DAY_MS = 86_400_000;

/** A target's windows for the zones of its devices; undefined where it has none, a sentence where they cannot work. */
export function windowsFor(
  policy: Policy,
  target: string,
  deviceZones: DeviceZones,
  nowMs: number,
): Windows | undefined | string {
  const { windows } = targetPolicy(policy, target);
  if (windows === undefined) return undefined;
  // Where all windows state their zone, it is the same for every device.
  if (windows.every(({ zone }) => zone !== DEVICE_ZONE))
    return orRefusal(target, { windows, zones: ["UTC"] }, nowMs);
  const silent = Object.entries(deviceZones).flatMap(([thing, zone]) => (zone === undefined ? [thing] : []));
  if (silent.length > 0)
    return `${target}: its window goes by the devices' own zone, and ${silent.length} of ${Object.keys(deviceZones).length} have no attribute "timezone" (${some(silent)}); give it to them, or state the window's zone`;
  const wrong = Object.entries(deviceZones).flatMap(([thing, zone]) =>
    zone === undefined || isZone(zone) ? [] : [`${thing} says "${zone}"`],
  );
  if (wrong.length > 0)
    return `${target}: its window goes by the devices' own zone, and the attribute "timezone" of ${wrong.length} names none (${some(wrong)}); say a zone such as Europe/Berlin`;
  const zones = [...new Set(Object.values(deviceZones).filter((zone) => zone !== undefined))].sort();
  return orRefusal(target, { windows, zones }, nowMs);
}

function orRefusal(target: string, windows: Windows, nowMs: number): Windows | string {
  if (Number.isFinite(opensAt(windows, nowMs))) return windows;
  const each = windows.zones.map((zone) => {
    const hours = openHoursUtc({ ...windows, zones: [zone] }, nowMs);
    return `${zone} ${hours.length === 0 ? "never" : `from ${hours.join(", and from ")}`}`;
  });
  return `${target}: its windows are never open for all its devices at once. On the next day that has any they are open, in UTC, for ${each.join("; for ")}. Make them longer, or a target for each zone`;
}

/** When it is open within the first day, from its first opening on: "20:00 to 02:00". */
function openHoursUtc(windows: Windows, nowMs: number): string[] {
  const first = opensAt(windows, nowMs);
  if (!Number.isFinite(first)) return [];
  const spans: string[] = [];
  let from: number | undefined;
  for (let at = first; at <= first + DAY_MS; at += QUARTER_MS) {
    const open = at < first + DAY_MS && isOpen(windows, at);
    if (open) from ??= at;
    else if (from !== undefined) {
      spans.push(`${clock(from)} to ${clock(at)}`);
      from = undefined;
    }
  }
  return spans;
}

function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 16);
}

function some(items: readonly string[]): string {
  return `${items.slice(0, THINGS_TOLD_MAX).join(", ")}${items.length > THINGS_TOLD_MAX ? ", …" : ""}`;
}
