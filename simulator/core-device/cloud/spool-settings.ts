import type { JsonObject } from "@coalmine/ports";
import { isObject, member } from "../json.ts";

/** What of the nucleus's `mqtt` concerns messages that wait. */
export interface SpoolSettings {
  readonly bytesMax: number;
  readonly messageBytesMax: number;
  readonly inFlightMax: number;
  readonly retriesMax: number;
  readonly keepQos0WhenOffline: boolean;
  readonly storage: "Memory" | "Disk";
}

/** The nucleus's own. */
export const spoolDefaults: SpoolSettings = {
  bytesMax: 2_621_440,
  messageBytesMax: 131_072,
  inFlightMax: 5,
  retriesMax: 100,
  keepQos0WhenOffline: false,
  storage: "Memory",
};
/** IoT Core sends no more at once, and no message is larger, whatever is set. */
const IN_FLIGHT_CEILING = 100;
const MESSAGE_BYTES_CEILING = 256 * 1024 * 1024;

/** Reads `mqtt` of the nucleus's configuration; what is not there, or is nothing to go by, is the default. */
export function spoolSettings(mqtt: JsonObject): SpoolSettings {
  const spooler = member(mqtt, "spooler");
  const spool = isObject(spooler) ? spooler : {};
  const retries = numberOf(mqtt, "maxPublishRetry", -1) ?? spoolDefaults.retriesMax;
  const storage = member(spool, "storageType");
  const keeps = member(spool, "keepQos0WhenOffline");
  return {
    bytesMax: numberOf(spool, "maxSizeInBytes") ?? spoolDefaults.bytesMax,
    messageBytesMax: Math.min(
      numberOf(mqtt, "maxMessageSizeInBytes") ?? spoolDefaults.messageBytesMax,
      MESSAGE_BYTES_CEILING,
    ),
    inFlightMax: Math.min(
      numberOf(mqtt, "maxInFlightPublishes") ?? spoolDefaults.inFlightMax,
      IN_FLIGHT_CEILING,
    ),
    retriesMax: retries < 0 ? Number.POSITIVE_INFINITY : retries,
    keepQos0WhenOffline: keeps === true || keeps === "true",
    storage: typeof storage === "string" && storage.toLowerCase() === "disk" ? "Disk" : "Memory",
  };
}

function numberOf(object: JsonObject, name: string, least = 1): number | undefined {
  const value = member(object, name);
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && number >= least ? number : undefined;
}
