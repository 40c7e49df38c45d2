import { Heartbeat } from "@coalmine/contract";
import type { Log } from "@coalmine/ports";
import * as z from "zod";
import { evidenceRow, type EvidenceRow } from "./row.ts";

/** Keeps a row; rejects where it could not. */
export type PutRow = (row: EvidenceRow) => Promise<void>;

/** What a cloud tells of MQTT messages, connections and job executions; on AWS, rules hand over the same. */
export type SeenEvent =
  | {
      readonly kind: "mqtt-message";
      readonly topic: string;
      readonly payload: Uint8Array;
      readonly at: number;
    }
  | {
      readonly kind: "mqtt-connection";
      readonly thingName: string | undefined;
      readonly connected: boolean;
      readonly reason: string;
      readonly at: number;
    }
  | {
      readonly kind: "job-execution";
      readonly jobId: string;
      readonly thingName: string;
      readonly status: string;
      readonly statusDetails: Readonly<Record<string, string>>;
      readonly at: number;
    };

const heartbeatTopic = /^coalmine\/([^/]+)\/heartbeat$/;
const statusTopic = /^\$aws\/things\/([^/]+)\/greengrass(?:v2)?\/health\/json$/;

/** Of a nucleus's status message, what is evidence. */
const FleetStatus = z.object({
  thing: z.string(),
  overallDeviceStatus: z.enum(["HEALTHY", "UNHEALTHY"]),
  components: z.array(z.object({ componentName: z.string(), status: z.string() })).nullish(),
});

/** Takes messages on `coalmine/+/heartbeat` into rows. What is no heartbeat is a device's fault, and logged. */
export function heartbeatHandler(
  put: PutRow,
  log: Log,
): (topic: string, payload: Uint8Array, at: number) => Promise<void> {
  return async (topic, payload, at) => {
    const thing = heartbeatTopic.exec(topic)?.[1];
    if (thing === undefined) return;
    const heartbeat = readJson(payload, Heartbeat);
    // A device may publish below its own name only, so the topic is to be believed, not the text.
    if (heartbeat === undefined || heartbeat.thing !== thing) {
      log.warn("A message on a heartbeat's topic is none of that device; it was passed over.", {
        topic,
        bytes: payload.length,
      });
      return;
    }
    await put(evidenceRow(heartbeat, at));
  };
}

/** Takes what the cloud itself sees of devices into rows: the second witness. */
export function cloudWitness(put: PutRow): (event: SeenEvent) => Promise<void> {
  return async (event) => {
    const row = rowOf(event);
    if (row !== undefined) await put(row);
  };
}

function rowOf(event: SeenEvent): EvidenceRow | undefined {
  switch (event.kind) {
    case "mqtt-connection":
      return event.thingName === undefined
        ? undefined
        : recordConnection(event.thingName, event.connected, event.reason, event.at);
    case "job-execution":
      return recordJobExecution(event);
    case "mqtt-message":
      return recordFleetStatus(event.topic, event.payload, event.at);
    default:
      // A cloud has other events too, which are no evidence.
      return undefined;
  }
}

export function recordConnection(
  thing: string,
  connected: boolean,
  reason: string,
  atMs: number,
): EvidenceRow {
  return { source: "connection", thing, atMs, connected, reason };
}

export function recordJobExecution(event: Extract<SeenEvent, { kind: "job-execution" }>): EvidenceRow {
  const reason = event.statusDetails["deployment-failure-cause"] ?? "";
  return {
    source: "job",
    thing: event.thingName,
    atMs: event.at,
    jobId: event.jobId,
    status: event.status,
    reason,
  };
}

/** Undefined where the message is no fleet status, or of another device than its topic says. */
export function recordFleetStatus(topic: string, payload: Uint8Array, atMs: number): EvidenceRow | undefined {
  const thing = statusTopic.exec(topic)?.[1];
  if (thing === undefined) return undefined;
  const status = readJson(payload, FleetStatus);
  if (status === undefined || status.thing !== thing) return undefined;
  const broken = (status.components ?? []).filter((one) => one.status === "BROKEN");
  return {
    source: "fleetStatus",
    thing,
    atMs,
    healthy: status.overallDeviceStatus === "HEALTHY",
    broken: broken.map(({ componentName }) => componentName),
  };
}

function readJson<Schema extends z.ZodType>(
  payload: Uint8Array,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(payload))).data;
  } catch {
    // Not JSON: no message of ours.
    return undefined;
  }
}
