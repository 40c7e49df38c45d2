import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import type { Store } from "../store/store.ts";
import { matchesFilter } from "./filter-pattern.ts";
import { groupSettings } from "./group-settings.ts";
import { limits } from "./limits.ts";
import { type KeptEvent, LogStore, type LogGroup, type LogStream } from "./log-store.ts";
import { acceptBatch, invalid, type StoredEvent } from "./put-log-events.ts";

const streamName = /^[^:*\n]{1,512}$/;
const retentions = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]);
const Events = z.compile(z.array(z.object({ timestamp: z.number(), message: z.string() })));
const EVENTS_PER_PAGE_MAX = 10_000;
const PAGE_BYTES_MAX = 1_048_576;

/** CloudWatch Logs: groups, streams, events. */
export class LogsService implements Service {
  readonly signingName = "logs";
  readonly operations: Service["operations"];
  readonly #logs: LogStore;
  readonly #clock: Clock;
  readonly #place: Place;
  readonly #onLines: (lines: readonly string[]) => void;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly place: Place;
    /** Told what a put keeps, within the put. */
    readonly onLines: (lines: readonly string[]) => void;
  }) {
    this.#onLines = options.onLines;
    this.#logs = new LogStore(options.store);
    this.#clock = options.clock;
    this.#place = options.place;
    this.operations = {
      CreateLogGroup: (input) => this.#createGroup(input),
      DeleteLogGroup: (input) => {
        this.#logs.deleteGroup(this.#group(input).name);
        return {};
      },
      PutRetentionPolicy: (input) => {
        const group = this.#group(input);
        if (!retentions.has(input.retentionInDays))
          throw invalid("retentionInDays is not one of the allowed numbers.");
        this.#logs.groups.set(group.name, { ...group, retentionDays: input.retentionInDays });
        return {};
      },
      CreateLogStream: (input) => this.#createStream(input),
      DeleteLogStream: (input) => {
        this.#logs.deleteStream(this.#stream(this.#group(input), input.logStreamName));
        return {};
      },
      DescribeLogGroups: (input) => this.#describeGroups(input),
      DescribeLogStreams: (input) => this.#describeStreams(input),
      PutLogEvents: (input) => this.#putEvents(input),
      GetLogEvents: (input) => this.#getEvents(input),
      FilterLogEvents: (input) => this.#filterEvents(input),
    };
  }

  #createGroup(input: Input): Output {
    const settings = groupSettings(input);
    if (this.#logs.groups.get(settings.name) !== undefined) throw alreadyExists("log group");
    this.#logs.groups.set(settings.name, { ...settings, createdAt: this.#clock.now() });
    return {};
  }

  #createStream(input: Input): Output {
    const group = this.#group(input);
    const name = String(input.logStreamName);
    if (!streamName.test(name))
      throw invalid(
        `1 validation error detected: Value '${name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*`,
      );
    if (this.#logs.stream(group.name, name) !== undefined) throw alreadyExists("log stream");
    const createdAt = this.#clock.now();
    this.#logs.setStream({
      group: group.name,
      name,
      createdAt,
      storedBytes: 0,
      nextBatch: 0,
      firstBatch: 0,
      events: 0,
    });
    return {};
  }

  #group(input: Input): LogGroup {
    const name = input.logGroupName ?? /:log-group:([^:]+)/.exec(String(input.logGroupIdentifier))?.[1];
    const group = this.#logs.groups.get(String(name ?? input.logGroupIdentifier));
    if (group === undefined) throw notFound("The specified log group does not exist.");
    return group;
  }

  #stream(group: LogGroup, name: unknown): LogStream {
    const stream = this.#logs.stream(group.name, String(name));
    if (stream === undefined) throw notFound("The specified log stream does not exist.");
    return stream;
  }

  #describeGroups(input: Input): Output {
    const prefix = String(input.logGroupNamePrefix ?? "");
    const groups = [...this.#logs.groups.entries(prefix)].map(([, group]) => ({
      logGroupName: group.name,
      creationTime: group.createdAt,
      ...(group.retentionDays === undefined ? {} : { retentionInDays: group.retentionDays }),
      logGroupClass: group.logGroupClass ?? "STANDARD",
      ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
      metricFilterCount: 0,
      arn: `${this.#arn(group)}:*`,
      logGroupArn: this.#arn(group),
      storedBytes: [...this.#logs.streamsOf(group.name)].reduce((sum, one) => sum + one.storedBytes, 0),
    }));
    const { items, nextToken } = namedPage(groups, input, 50);
    return { logGroups: items, ...(nextToken === undefined ? {} : { nextToken }) };
  }

  #describeStreams(input: Input): Output {
    const group = this.#group(input);
    const prefix: string | undefined = input.logStreamNamePrefix;
    const byTime = input.orderBy === "LastEventTime";
    if (byTime && prefix !== undefined)
      throw invalid("Cannot order by LastEventTime with a logStreamNamePrefix.");
    const streams = [...this.#logs.streamsOf(group.name)].filter((stream) =>
      stream.name.startsWith(prefix ?? ""),
    );
    if (byTime) streams.sort((a, b) => (a.lastEventAt ?? 0) - (b.lastEventAt ?? 0));
    if (input.descending === true) streams.reverse();
    const { items, nextToken } = namedPage(streams, input, 50);
    return {
      logStreams: items.map((stream) => ({
        logStreamName: stream.name,
        creationTime: stream.createdAt,
        firstEventTimestamp: stream.firstEventAt,
        lastEventTimestamp: stream.lastEventAt,
        lastIngestionTime: stream.lastIngestionAt,
        uploadSequenceToken: String(stream.nextBatch),
        arn: `${this.#arn(group)}:log-stream:${stream.name}`,
        storedBytes: 0,
      })),
      ...(nextToken === undefined ? {} : { nextToken }),
    };
  }

  #arn(group: LogGroup): string {
    return `arn:aws:logs:${this.#place.region}:${this.#place.accountId}:log-group:${group.name}`;
  }

  #putEvents(input: Input): Output {
    const group = this.#group(input);
    const stream = this.#stream(group, input.logStreamName);
    const now = this.#clock.now();
    const { kept, rejected } = acceptBatch(Events.parse(input.logEvents), now, group.retentionDays);
    const bytes = kept.reduce(
      (sum, event) => sum + Buffer.byteLength(event.message, "utf8") + limits.eventOverheadBytes,
      0,
    );
    if (kept.length > 0) this.#logs.append(stream, kept, bytes, now);
    this.#onLines(kept.map((event) => event.message));
    return {
      nextSequenceToken: String(stream.nextBatch + 1),
      ...(rejected === undefined ? {} : { rejectedLogEventsInfo: rejected }),
    };
  }

  /** Tokens name a place among the stream's events; asking again at the end gives the same token back. */
  #getEvents(input: Input): Output {
    const group = this.#group(input);
    const stream = this.#stream(group, input.logStreamName);
    const events = this.#between(this.#logs.eventsOf(stream, group, this.#clock.now()), input);
    const max = pageSize(input.limit);
    const token =
      input.nextToken === undefined ? undefined : /^([fb])\/(\d{1,9})$/.exec(String(input.nextToken));
    if (token === null) throw invalid("The specified nextToken is invalid.");
    const at = Number(token?.[2] ?? (input.startFromHead === true ? 0 : events.length));
    const isForward = token === undefined ? input.startFromHead === true : token[1] === "f";
    const start = isForward ? at : Math.max(0, at - max);
    const end = isForward ? Math.min(events.length, at + max) : Math.min(at, events.length);
    const chosen = withinBytes(events.slice(start, end), isForward);
    const first = isForward ? start : end - chosen.length;
    return {
      events: chosen.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
      nextForwardToken: `f/${first + chosen.length}`,
      nextBackwardToken: `b/${first}`,
    };
  }

  #filterEvents(input: Input): Output {
    const group = this.#group(input);
    const names: string[] | undefined = input.logStreamNames;
    const prefix = String(input.logStreamNamePrefix ?? "");
    const now = this.#clock.now();
    const matched = [...this.#logs.streamsOf(group.name)]
      .filter((stream) =>
        names === undefined ? stream.name.startsWith(prefix) : names.includes(stream.name),
      )
      .flatMap((stream) =>
        this.#between(this.#logs.eventsOf(stream, group, now), input)
          .filter((event) => matchesFilter(event.message, String(input.filterPattern ?? "")))
          .map((event) => ({ ...event, logStreamName: stream.name })),
      )
      .sort((a, b) => a.timestamp - b.timestamp);
    const start = input.nextToken === undefined ? 0 : Number(input.nextToken);
    if (!Number.isInteger(start) || start < 0) throw invalid("The specified nextToken is invalid.");
    const chosen = withinBytes(matched.slice(start, start + pageSize(input.limit)), true);
    const end = start + chosen.length;
    return {
      events: chosen,
      searchedLogStreams: [],
      ...(end < matched.length ? { nextToken: String(end) } : {}),
    };
  }

  #between(events: readonly KeptEvent[], input: Input): readonly KeptEvent[] {
    const from = Number(input.startTime ?? 0);
    const to = Number(input.endTime ?? Infinity);
    // The end is exclusive for a stream and inclusive for a filter only in the service's own words; exclusive here.
    return events.filter((event) => event.timestamp >= from && event.timestamp < to);
  }
}

function withinBytes<Event extends StoredEvent>(
  events: readonly Event[],
  fromStart: boolean,
): readonly Event[] {
  let bytes = 0;
  const fits = (event: Event): boolean => {
    bytes += Buffer.byteLength(event.message, "utf8") + limits.eventOverheadBytes;
    return bytes <= PAGE_BYTES_MAX;
  };
  if (fromStart) {
    const end = events.findIndex((event) => !fits(event));
    return end < 0 ? events : events.slice(0, Math.max(1, end));
  }
  const start = events.findLastIndex((event) => !fits(event));
  return events.slice(Math.min(start + 1, Math.max(0, events.length - 1)));
}

function pageSize(limit: unknown): number {
  if (limit === undefined) return EVENTS_PER_PAGE_MAX;
  const size = Number(limit);
  if (!Number.isInteger(size) || size < 1 || size > EVENTS_PER_PAGE_MAX)
    throw invalid(`limit must be from 1 to ${EVENTS_PER_PAGE_MAX}.`);
  return size;
}

function namedPage<Item>(
  items: readonly Item[],
  input: Input,
  max: number,
): { items: readonly Item[]; nextToken: string | undefined } {
  const size = Number(input.limit ?? max);
  if (!Number.isInteger(size) || size < 1 || size > max) throw invalid(`limit must be from 1 to ${max}.`);
  const start = Number(input.nextToken ?? 0);
  if (!Number.isInteger(start) || start < 0) throw invalid("The specified nextToken is invalid.");
  const end = start + size;
  return { items: items.slice(start, end), nextToken: end < items.length ? String(end) : undefined };
}

function alreadyExists(what: string): ServiceError {
  return new ServiceError("ResourceAlreadyExistsException", 400, `The specified ${what} already exists`);
}

function notFound(message: string): ServiceError {
  return new ServiceError("ResourceNotFoundException", 400, message);
}
