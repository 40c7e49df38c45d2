import {
  type CloudWatchLogsClient,
  FilterLogEventsCommand,
  type FilterLogEventsCommandOutput,
  paginateDescribeLogGroups,
  paginateDescribeLogStreams,
} from "@aws-sdk/client-cloudwatch-logs";
import { logStreamName } from "../../api/devices/log-stream-name.ts";

/** Of log-manager's default `logGroup`, and of the log manager that AWS offers. */
const GROUPS = "/aws/greengrass/";
const DAY_MS = 24 * 3_600_000;
/** Lines may come later than younger ones of another file: so far back each look reads again. */
const OVERLAP_MS = 10 * 60_000;

export interface LogLine {
  readonly id: string;
  readonly atMs: number;
  readonly thing: string;
  readonly component: string;
  readonly message: string;
}

/** Whose lines, and of which component where not of all. */
export interface Wanted {
  readonly thing: string;
  readonly component?: string | undefined;
}

/**
 * A device's lines in CloudWatch Logs, each given once however often it looks. A look that fails is made again: it goes
 * on behind the last line that was given.
 */
export class DeviceLogs {
  readonly #client: CloudWatchLogsClient;
  readonly #wanted: Wanted;
  readonly #sinceMs: number;
  /** Group → what was given of it. */
  readonly #given = new Map<string, { newestMs: number; readonly ids: Map<string, number> }>();

  constructor(client: CloudWatchLogsClient, wanted: Wanted, sinceMs: number) {
    this.#client = client;
    this.#wanted = wanted;
    this.#sinceMs = sinceMs;
  }

  /** What came since the last look, a page at a time, in the order of each component's time. */
  async *look(nowMs: number): AsyncGenerator<LogLine[]> {
    for (const group of await this.#groups()) {
      const place = this.#given.get(group) ?? { newestMs: this.#sinceMs, ids: new Map<string, number>() };
      const fromMs = Math.max(this.#sinceMs, place.newestMs - OVERLAP_MS);
      const logStreamNames = await this.#streams(group, fromMs, nowMs);
      if (logStreamNames.length === 0) continue;
      this.#given.set(group, place);
      let nextToken: string | undefined;
      do {
        const page: FilterLogEventsCommandOutput = await this.#client.send(
          new FilterLogEventsCommand({ logGroupName: group, logStreamNames, startTime: fromMs, nextToken }),
        );
        const fresh: LogLine[] = [];
        for (const { eventId: id = "", timestamp: atMs = 0, message = "" } of page.events ?? []) {
          if (place.ids.has(id)) continue;
          place.ids.set(id, atMs);
          place.newestMs = Math.max(place.newestMs, atMs);
          fresh.push({ id, atMs, thing: this.#wanted.thing, component: componentOf(group), message });
        }
        if (fresh.length > 0) yield fresh;
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      for (const [id, atMs] of place.ids) if (atMs < place.newestMs - OVERLAP_MS) place.ids.delete(id);
    }
  }

  async #groups(): Promise<string[]> {
    const { component } = this.#wanted;
    const groups: string[] = [];
    for await (const { logGroups = [] } of paginateDescribeLogGroups(
      { client: this.#client },
      { logGroupNamePrefix: GROUPS },
    ))
      for (const { logGroupName: group = "" } of logGroups)
        if (
          component === undefined ||
          componentOf(group) === component ||
          componentOf(group) === `coalmine.${component}`
        )
          groups.push(group);
    return groups;
  }

  /** The device's streams of those days: `/2026/11/28/thing/core-01`. */
  async #streams(group: string, fromMs: number, nowMs: number): Promise<string[]> {
    const found: string[] = [];
    for (let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS; dayMs <= nowMs; dayMs += DAY_MS) {
      const name = logStreamName(dayMs, this.#wanted.thing);
      for await (const { logStreams = [] } of paginateDescribeLogStreams(
        { client: this.#client },
        { logGroupName: group, logStreamNamePrefix: name },
      ))
        if (logStreams.some(({ logStreamName }) => logStreamName === name)) found.push(name);
    }
    return found;
  }
}

function componentOf(group: string): string {
  return group.slice(group.lastIndexOf("/") + 1);
}
