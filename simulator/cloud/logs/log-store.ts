import type { Instant } from "@coalmine/ports";
import type { Store, Table } from "../store/store.ts";
import type { GroupSettings } from "./group-settings.ts";
import { limits } from "./limits.ts";
import type { StoredEvent } from "./put-log-events.ts";

export interface LogGroup extends Partial<GroupSettings> {
  readonly name: string;
  readonly createdAt: Instant;
  readonly retentionDays?: number;
}

export interface LogStream {
  readonly group: string;
  readonly name: string;
  readonly createdAt: Instant;
  readonly firstEventAt?: Instant;
  readonly lastEventAt?: Instant;
  readonly lastIngestionAt?: Instant;
  readonly storedBytes: number;
  /** The next batch's number, and the oldest that is kept. */
  readonly nextBatch: number;
  readonly firstBatch: number;
  readonly events: number;
}

/** Its id stays with it, whichever part of the stream is asked for. */
export interface KeptEvent extends StoredEvent {
  readonly eventId: string;
}

const BATCH_DIGITS = 10;

/** Groups, streams, and their events in batches as they came: a put writes one row however long the stream is. */
export class LogStore {
  readonly groups: Table<LogGroup>;
  readonly #streams: Table<LogStream>;
  readonly #batches: Table<readonly StoredEvent[]>;

  constructor(store: Store) {
    this.groups = store.table("logs/groups");
    this.#streams = store.table("logs/streams");
    this.#batches = store.table("logs/batches");
  }

  stream(group: string, name: string): LogStream | undefined {
    return this.#streams.get(streamKey(group, name));
  }

  setStream(stream: LogStream): void {
    this.#streams.set(streamKey(stream.group, stream.name), stream);
  }

  /** In order of name. */
  *streamsOf(group: string): Iterable<LogStream> {
    for (const [, stream] of this.#streams.entries(streamKey(group, ""))) yield stream;
  }

  append(stream: LogStream, events: readonly StoredEvent[], bytes: number, now: Instant): void {
    const key = streamKey(stream.group, stream.name);
    const times = events.map((event) => event.timestamp);
    this.#batches.set(`${key}\n${batchKey(stream.nextBatch)}`, events);
    let { firstBatch, events: count } = stream;
    count += events.length;
    while (count > limits.streamEventsMax && firstBatch < stream.nextBatch) {
      const oldest = `${key}\n${batchKey(firstBatch++)}`;
      count -= this.#batches.get(oldest)?.length ?? 0;
      this.#batches.delete(oldest);
    }
    this.setStream({
      ...stream,
      firstBatch,
      events: count,
      nextBatch: stream.nextBatch + 1,
      firstEventAt: Math.min(stream.firstEventAt ?? Infinity, ...times.slice(0, 1)),
      lastEventAt: Math.max(stream.lastEventAt ?? 0, ...times.slice(-1)),
      lastIngestionAt: now,
      storedBytes: stream.storedBytes + bytes,
    });
  }

  /** By time; equal times in order of arrival. Events past the group's retention are not given any more. */
  eventsOf(stream: LogStream, group: LogGroup, now: Instant): readonly KeptEvent[] {
    const oldest = group.retentionDays === undefined ? 0 : now - group.retentionDays * 24 * 3600_000;
    const events: KeptEvent[] = [];
    const prefix = `${streamKey(stream.group, stream.name)}\n`;
    for (const [key, batch] of this.#batches.entries(prefix))
      for (const [index, event] of batch.entries())
        if (event.timestamp >= oldest)
          events.push({
            ...event,
            eventId: `${stream.createdAt}/${stream.name}/${key.slice(-BATCH_DIGITS)}/${index}`,
          });
    return events.sort((a, b) => a.timestamp - b.timestamp);
  }

  deleteStream(stream: LogStream): void {
    const key = streamKey(stream.group, stream.name);
    for (const [batch] of this.#batches.entries(`${key}\n`)) this.#batches.delete(batch);
    this.#streams.delete(key);
  }

  deleteGroup(name: string): void {
    for (const stream of this.streamsOf(name)) this.deleteStream(stream);
    this.groups.delete(name);
  }
}

/** Neither a group's nor a stream's name may hold a colon or line end where it matters. */
function streamKey(group: string, stream: string): string {
  return `${group}\n${stream}`;
}

function batchKey(number: number): string {
  return String(number).padStart(BATCH_DIGITS, "0");
}
