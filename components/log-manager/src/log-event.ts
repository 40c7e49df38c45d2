import { type LogLevelName, levelNames } from "./config.ts";

/** What an event says of itself; no time where it says none. */
export interface Told {
  readonly statedMs: number | undefined;
  readonly level: LogLevelName | undefined;
}

/** CloudWatch counts 26 bytes beside each message. */
export const EVENT_OVERHEAD_BYTES = 26;

/** The time at the beginning of a line, date and time of day; anchored, so linear. */
const leadingTime =
  /^\[?(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?/;
const levelWord = /\b(DEBUG|INFO|WARN|ERROR|FATAL)\b/;
/** Further in, a level's name is just a word. */
const LEVEL_WITHIN = 200;

/**
 * Time and level of a message, from its JSON or its text. A time without a zone is UTC. `levelOf` finds the level of what
 * is not JSON, where a configuration says how.
 */
export function told(message: string, levelOf?: (message: string) => string | undefined): Told {
  const json = message.startsWith("{") ? fields(message) : undefined;
  const parsed = json === undefined ? timeOfText(message) : timeOfValue(json["timestamp"]);
  const word =
    json === undefined
      ? (levelOf?.(message) ??
        (levelOf === undefined ? levelWord.exec(message.slice(0, LEVEL_WITHIN))?.[1] : undefined))
      : json["level"];
  const upper = typeof word === "string" ? word.toUpperCase() : undefined;
  return {
    statedMs: parsed >= 0 && parsed <= TIME_MAX ? Math.round(parsed) : undefined,
    level: levelNames.find((level) => level === upper),
  };
}

/** The last instant that a date can hold. */
export const TIME_MAX = 8.64e15;

function timeOfText(message: string): number {
  const match = leadingTime.exec(message);
  if (match === null) return Number.NaN;
  const [, date = "", time = "", zone = "Z"] = match;
  return Date.parse(`${date}T${time.replace(",", ".")}${zone}`);
}

function timeOfValue(value: unknown): number {
  return typeof value === "number" ? value : typeof value === "string" ? timeOfText(value) : Number.NaN;
}

/** An event without a level is kept: what cannot be judged is not thrown away. */
export function isAtLeast(level: LogLevelName | undefined, minimum: LogLevelName): boolean {
  return level === undefined || levelNames.indexOf(level) >= levelNames.indexOf(minimum);
}

/** Adds a member to a message that is one JSON object; other messages stay as they are. */
export function withEventId(message: string, eid: string): string {
  if (!message.startsWith("{")) return message;
  const object = fields(message);
  const end = message.lastIndexOf("}");
  if (object === undefined) return message;
  const comma = Object.keys(object).length === 0 ? "" : ",";
  return `${message.slice(0, end)}${comma}"eid":"${eid}"${message.slice(end)}`;
}

/**
 * Cuts a message that is too long for one event, between code points, into parts marked `[part k/n]`.
 * `eventBytesMax` counts the overhead, as the service does.
 */
export function split(message: string, eventBytesMax: number): string[] {
  const room = eventBytesMax - EVENT_OVERHEAD_BYTES;
  // Three bytes are the most that one UTF-16 unit takes.
  if (message.length * 3 <= room || utf8Bytes(message) <= room) return [message];
  const partRoom = room - "[part 9999/9999] ".length;
  const parts: string[] = [];
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < message.length;) {
    const code = message.codePointAt(at) ?? 0;
    const units = code > 0xffff ? 2 : 1;
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code > 0xffff ? 4 : 3;
    if (bytes + size > partRoom) {
      parts.push(message.slice(from, at));
      from = at;
      bytes = 0;
    }
    bytes += size;
    at += units;
  }
  parts.push(message.slice(from));
  return parts.map((part, index) => `[part ${index + 1}/${parts.length}] ${part}`);
}

/** Length in UTF-8 without encoding it. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 4;
      index++;
    } else bytes += 3;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function fields(message: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(message);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}
