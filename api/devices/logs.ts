import { createHash } from "node:crypto";
import {
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import { componentNames, isProgram, ThingName } from "@coalmine/contract";
import { type LogLine, type LogPage, LogsQuery } from "@coalmine/contract/operator-api";
import * as z from "zod";
import { ApiError } from "../api-error.ts";
import { parseInput } from "../api.ts";
import type { OperatorRegion } from "../operator-region.ts";
import { logStreamName } from "./log-stream-name.ts";

/** As log-manager names them where nobody has chosen otherwise. */
const groupOf = ({ target }: OperatorRegion, component: string): string =>
  `/aws/greengrass/UserComponent/${target.region}/${component}`;

const DAY_MS = 24 * 3_600_000;
/** How far back lines are looked for where nobody says: log groups are kept for longer, and a page asks again. */
const DAYS = 7;
/** Streams are by day: each day further back is a question more for each component. */
export const DAYS_MAX = 90;
/** A device that was offline sends older lines: they are in the page, and are no news. */
const LATE_MS = 15 * 60_000;
/** CloudWatch shows a line this long after it took it, at most as often as matters. */
const SETTLE_MS = 1000;
const loggers: readonly string[] = Object.values(componentNames).filter(isProgram);

interface Asked {
  readonly region: OperatorRegion;
  readonly thing: ThingName;
  readonly component: string | undefined;
  readonly nowMs: number;
}

/** A line with when CloudWatch took it. */
interface TakenLine extends LogLine {
  readonly takenMs: number;
}

/** The last lines of a device, or the last before one. */
export async function logPage(
  asked: Omit<Asked, "component" | "thing">,
  thing: string,
  input: unknown,
): Promise<LogPage> {
  const { component, limit, before, since, text } = parseInput(LogsQuery, input);
  const named = { ...asked, ...parseInput(z.object({ thing: ThingName }), { thing }), component };
  const beforeMs = before === undefined ? undefined : lineTime(before);
  const untilMs = asked.nowMs - SETTLE_MS;
  const lines: TakenLine[] = [];
  const lastDayMs = beforeMs ?? asked.nowMs;
  const days = since === undefined ? DAYS : Math.min(DAYS_MAX, dayOf(lastDayMs) - dayOf(since) + 1);
  for (let day = 0; day < days && lines.length <= limit; day++) {
    const found = await Promise.all(
      componentsOf(named).map((one) => lastLines(named, one, lastDayMs - day * DAY_MS, limit + 1, beforeMs)),
    );
    lines.push(
      ...found
        .flat()
        .filter(
          (line) =>
            line.takenMs < untilMs &&
            line.atMs >= (since ?? 0) &&
            (before === undefined || isBefore(line.cursor, before)) &&
            line.message.toLowerCase().includes(text?.toLowerCase() ?? ""),
        ),
    );
  }
  lines.sort(byTime);
  return {
    lines: lines.slice(-limit).map(lineOf),
    cursor: `${untilMs}.0`,
    earlier: lines.length > limit,
  };
}

/** What was taken since a place, in the order in which it was taken, each line with the place after it; and the last place. */
export async function linesSince(
  asked: Asked,
  place: string,
): Promise<{ readonly told: readonly { line: LogLine; place: string }[]; readonly place: string }> {
  const [fromMs, skip] = placeOf(place);
  // On a clock that stands still, nothing new is taken either.
  const untilMs = Math.max(fromMs, asked.nowMs - SETTLE_MS);
  const found = await Promise.all(componentsOf(asked).map((one) => linesAfter(asked, one, fromMs - LATE_MS)));
  const lines = found
    .flat()
    .filter(({ takenMs }) => takenMs >= fromMs && takenMs < untilMs)
    .sort((a, b) => a.takenMs - b.takenMs || byTime(a, b));
  let atMs = fromMs;
  let count = 0;
  const told: { line: LogLine; place: string }[] = [];
  for (const line of lines) {
    count = line.takenMs === atMs ? count + 1 : 1;
    atMs = line.takenMs;
    if (atMs === fromMs && count <= skip) continue;
    told.push({ line: lineOf(line), place: `${atMs}.${count}` });
  }
  return { told, place: untilMs === fromMs ? (told.at(-1)?.place ?? place) : `${untilMs}.0` };
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** @throws ApiError for what is no place. */
function placeOf(place: string): [number, number] {
  const [, fromMs, skip] = /^(\d{1,15})\.(\d{1,6})$/.exec(place) ?? [];
  if (fromMs === undefined)
    throw new ApiError(
      "ERR_API_INPUT",
      `"${place.slice(0, 50)}" is no place in a log; ask for the log's page first`,
    );
  return [Number(fromMs), Number(skip)];
}

function componentsOf({ component }: Pick<Asked, "component">): readonly string[] {
  return component === undefined ? loggers : [component];
}

/** The newest of a day; of those before an instant, with all of that instant. */
async function lastLines(
  { region, thing }: Asked,
  component: string,
  dayMs: number,
  limit: number,
  beforeMs: number | undefined,
): Promise<TakenLine[]> {
  const stream = logStreamName(dayMs, thing);
  const events = async (range: Partial<GetLogEventsCommandInput>): Promise<readonly Taken[]> => {
    const asked = { logGroupName: groupOf(region, component), logStreamName: stream, startFromHead: false };
    const answer = await unlessMissing(region.logs.send(new GetLogEventsCommand({ ...asked, ...range })));
    return answer?.events ?? [];
  };
  if (beforeMs === undefined) return named(component, stream, await events({ limit }));
  const older = await events({ limit, endTime: beforeMs });
  const beside = await events({ startTime: beforeMs, endTime: beforeMs + 1 });
  return named(component, stream, [...older, ...beside]);
}

async function linesAfter(
  { region, thing, nowMs }: Asked,
  component: string,
  fromMs: number,
): Promise<TakenLine[]> {
  const lines: TakenLine[] = [];
  for (const stream of new Set([logStreamName(fromMs, thing), logStreamName(nowMs, thing)])) {
    const found: Taken[] = [];
    await unlessMissing(
      (async () => {
        const pages = paginateFilterLogEvents(
          { client: region.logs },
          { logGroupName: groupOf(region, component), logStreamNamePrefix: stream, startTime: fromMs },
        );
        for await (const { events = [] } of pages)
          found.push(...events.filter(({ logStreamName }) => logStreamName === stream));
      })(),
    );
    lines.push(...named(component, stream, found));
  }
  return lines;
}

interface Taken {
  readonly timestamp?: number | undefined;
  readonly message?: string | undefined;
  readonly ingestionTime?: number | undefined;
}

/** Lines that are alike to the millisecond are told apart by their number. */
function named(component: string, stream: string, events: readonly Taken[]): TakenLine[] {
  const alike = new Map<string, number>();
  return events.map(({ timestamp = 0, message = "", ingestionTime = 0 }) => {
    const text = `${stream}\n${component}\n${timestamp}\n${message}`;
    const number = (alike.get(text) ?? 0) + 1;
    alike.set(text, number);
    const hash = createHash("sha256").update(`${text}\n${number}`).digest("hex").slice(0, 12);
    const level = levelOf(message);
    return {
      cursor: `${timestamp}-${hash}`,
      atMs: timestamp,
      component,
      ...(level === undefined ? {} : { level }),
      message,
      takenMs: ingestionTime,
    };
  });
}

function levelOf(message: string): string | undefined {
  return /"level":\s?"([A-Za-z]{4,5})"/.exec(message.slice(0, 2000))?.[1]?.toUpperCase();
}

function lineOf({ takenMs: _takenMs, ...line }: TakenLine): LogLine {
  return line;
}

function byTime(a: LogLine, b: LogLine): number {
  return a.atMs - b.atMs || (a.cursor < b.cursor ? -1 : 1);
}

function isBefore(cursor: string, before: string): boolean {
  const [a, b] = [lineTime(cursor), lineTime(before)];
  return a === b ? cursor < before : a < b;
}

/** @throws ApiError for what names no line. */
function lineTime(cursor: string): number {
  const [, atMs] = /^(\d{1,15})-[0-9a-f]{12}$/.exec(cursor) ?? [];
  if (atMs === undefined)
    throw new ApiError(
      "ERR_API_INPUT",
      `"${cursor.slice(0, 50)}" names no line of a log; take the cursor of one`,
    );
  return Number(atMs);
}

/** A component that never said anything has no group. */
async function unlessMissing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (failure) {
    if (failure instanceof ResourceNotFoundException) return undefined;
    throw failure;
  }
}
