import { Heartbeat, topics } from "@coalmine/contract";
import type { Log } from "@coalmine/ports";
import * as z from "zod";
import type { EvidenceLake } from "../../../pipeline/evidence/evidence-lake.ts";
import type { EvidenceStore } from "../../../pipeline/evidence/evidence-store.ts";
import { cloudWitness, heartbeatHandler, type PutRow } from "../../../pipeline/evidence/handlers.ts";
import { fleetMetrics } from "./fleet-metrics.ts";

export const EVIDENCE_FUNCTION = "coalmine-evidence";

const asItCame = "SELECT encode(*, 'base64') AS payload, topic() AS topic, timestamp() AS at FROM";

/** What the topic rules hand over, by rule: messages as they came, and what AWS IoT tells of connections and jobs. */
export const evidenceRules: Readonly<Record<string, string>> = {
  coalmine_heartbeats: `${asItCame} '${topics.heartbeatOfAll}'`,
  coalmine_fleet_status: `${asItCame} '$aws/things/+/greengrassv2/health/json'`,
  coalmine_presence:
    "SELECT clientId AS thing, eventType AS presence, timestamp AS at, disconnectReason AS reason FROM '$aws/events/presence/+/+'",
  coalmine_job_executions:
    "SELECT jobId, thingArn, status, statusDetails, timestamp() AS at FROM '$aws/events/jobExecution/#'",
};

const Message = z.object({ payload: z.base64(), topic: z.string(), at: z.number() });
const Presence = z.object({
  thing: z.string(),
  presence: z.enum(["connected", "disconnected"]),
  at: z.number(),
  reason: z.string().default(""),
});
const JobExecution = z.object({
  jobId: z.string(),
  thingArn: z.string(),
  status: z.string(),
  statusDetails: z.record(z.string(), z.string()).default({}),
  at: z.number(),
});

export interface EvidenceParts {
  readonly put: PutRow;
  readonly log: Log;
  /** Takes a line that carries metrics. */
  readonly metricLine: (line: string) => void;
}

/** Keeps a row where the judge reads it, and then in the lake. Where that fails AWS calls again: both take a row that they have. */
export function intoBoth(store: Pick<EvidenceStore, "put">, lake: Pick<EvidenceLake, "put">): PutRow {
  return async (row) => {
    await store.put(row);
    await lake.put(row);
  };
}

/** Makes rows of evidence of what topic rules hand over; heartbeats are metrics too. */
export function evidenceFunction({ put, log, metricLine }: EvidenceParts): (event: unknown) => Promise<void> {
  const heard = heartbeatHandler(put, log);
  const seen = cloudWitness(put);
  return async (event) => {
    const message = Message.safeParse(event).data;
    if (message !== undefined) {
      const { topic, at } = message;
      const payload = Buffer.from(message.payload, "base64");
      await heard(topic, payload, at);
      await seen({ kind: "mqtt-message", topic, payload, at });
      for (const line of metricsOf(payload, at)) metricLine(line);
      return;
    }
    const presence = Presence.safeParse(event).data;
    if (presence !== undefined) {
      const { thing: thingName, presence: now, at, reason } = presence;
      await seen({ kind: "mqtt-connection", thingName, connected: now === "connected", reason, at });
      return;
    }
    const { thingArn, ...execution } = JobExecution.parse(event);
    await seen({ kind: "job-execution", thingName: thingArn.slice(thingArn.indexOf("/") + 1), ...execution });
  };
}

function metricsOf(payload: Buffer, at: number): string[] {
  try {
    const heartbeat = Heartbeat.safeParse(JSON.parse(payload.toString("utf8"))).data;
    return heartbeat === undefined ? [] : fleetMetrics(heartbeat, at);
  } catch {
    // Not JSON: the heartbeats' handler has said so.
    return [];
  }
}
