import type { LogEvent } from "@coalmine/ports";
import { EVENT_OVERHEAD_BYTES, type FileEvent, utf8Bytes } from "./log-event.ts";

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const BATCH_BYTES_MAX = 1_048_576;
const BATCH_EVENTS_MAX = 10_000;
const BATCH_SPAN_MS_MAX = 24 * 3_600_000;

export interface Batch {
  /** The date of its events in UTC, `yyyy/MM/dd`. */
  readonly date: string;
  readonly events: readonly LogEvent[];
}

/** Puts events into batches that PutLogEvents takes: by date, in order of time (stable), within every limit. */
export function batches(events: readonly FileEvent[]): Batch[] {
  const byDate = Map.groupBy(events, (event) => date(event.timestampMs));
  return [...byDate]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([day, ofDay]) => cut(ofDay).map((part) => ({ date: day, events: part })));
}

function cut(events: readonly FileEvent[]): LogEvent[][] {
  const all: LogEvent[][] = [];
  let batch: LogEvent[] = [];
  let bytes = 0;
  for (const { timestampMs, message } of events.toSorted((a, b) => a.timestampMs - b.timestampMs)) {
    const size = utf8Bytes(message) + EVENT_OVERHEAD_BYTES;
    const first = batch[0]?.timestampMs ?? timestampMs;
    if (
      batch.length >= BATCH_EVENTS_MAX ||
      bytes + size > BATCH_BYTES_MAX ||
      timestampMs - first >= BATCH_SPAN_MS_MAX
    ) {
      all.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push({ timestampMs, message });
    bytes += size;
  }
  if (batch.length > 0) all.push(batch);
  return all;
}

function date(timestampMs: number): string {
  return new Date(timestampMs).toISOString().slice(0, 10).replaceAll("-", "/");
}
