import type { JsonValue } from "@coalmine/ports";
import { isObject } from "../json.ts";
import type { ShadowId } from "./shadow-requests.ts";

export type Direction = "betweenDeviceAndCloud" | "deviceToCloud" | "cloudToDevice";

export interface Synchronized {
  readonly shadows: readonly ShadowId[];
  readonly direction: Direction;
  /** Undefined: at every change. */
  readonly everySeconds: number | undefined;
}

/** Ours. The shadow manager has no limit of its own; each shadow costs two subscriptions. */
export const SHADOWS_MAX = 1000;
const PERIOD_SECONDS = 300;

/** Reads `synchronize` and `strategy` of the shadow manager's configuration; what cannot be read is not synchronized. */
export function synchronizedOf(
  thingName: string,
  synchronize: JsonValue | undefined,
  strategy: JsonValue | undefined,
): Synchronized {
  const wanted = isObject(synchronize) ? synchronize : {};
  const core = wanted["coreThing"];
  const listed = wanted["shadowDocuments"] ?? wanted["shadowDocumentsMap"];
  const others = Array.isArray(listed)
    ? listed.flatMap((entry) => shadowsOf(isObject(entry) ? entry["thingName"] : undefined, entry))
    : isObject(listed)
      ? Object.entries(listed).flatMap(([name, entry]) => shadowsOf(name, entry))
      : [];
  const shadows = [...shadowsOf(thingName, core), ...others];
  const given = wanted["direction"];
  const isPeriodic = isObject(strategy) && strategy["type"] === "periodic";
  const delay = isPeriodic ? strategy["delay"] : undefined;
  return {
    shadows: shadows.slice(0, SHADOWS_MAX),
    direction: given === "deviceToCloud" || given === "cloudToDevice" ? given : "betweenDeviceAndCloud",
    everySeconds: isPeriodic ? (typeof delay === "number" && delay > 0 ? delay : PERIOD_SECONDS) : undefined,
  };
}

function shadowsOf(thingName: JsonValue | undefined, entry: JsonValue | undefined): ShadowId[] {
  if (typeof thingName !== "string" || !isObject(entry)) return [];
  const names = entry["namedShadows"];
  const named = Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  // The classic shadow goes along unless it is left out.
  const all = entry["classic"] === false ? named : ["", ...named];
  return all.map((shadowName) => ({ thingName, shadowName }));
}
