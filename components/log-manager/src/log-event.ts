import type { LogLevelName } from "./config.ts";

/** A log event as it goes to CloudWatch Logs. */
export interface FileEvent {
  readonly message: string;
  readonly timestampMs: number;
  readonly level: LogLevelName | undefined;
}

/** CloudWatch counts 26 bytes beside each message. */
export const EVENT_OVERHEAD_BYTES = 26;
/** The older, everywhere valid limit of one event; a longer message goes in numbered parts. */
export const EVENT_BYTES_MAX = 256 * 1024 - EVENT_OVERHEAD_BYTES;

const levels: readonly LogLevelName[] = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** Whether a line opens an event, by LogManager's rule: a JSON object, or a date with an optional bracket. */
export function opensEvent(line: string): boolean {
  return line.startsWith("{") || /^\[?\d{4}-\d{2}-\d{2}/.test(line);
}

/** Time and level of a message, from its JSON or its text; where it says no time, `fallbackMs`. */
export function eventOf(message: string, fallbackMs: number): FileEvent {
  const json = message.startsWith("{") ? fields(message) : undefined;
  const stamp = json?.["timestamp"];
  const text = json === undefined ? /^\[?(\d{4}-\d{2}-\d{2}[T ][\d:.]+Z?)/.exec(message)?.[1] : undefined;
  const parsed =
    typeof stamp === "number"
      ? stamp
      : typeof stamp === "string"
        ? Date.parse(stamp)
        : text === undefined
          ? Number.NaN
          : Date.parse(text.replace(" ", "T"));
  const word =
    json === undefined ? /\b(DEBUG|INFO|WARN|ERROR|FATAL)\b/.exec(message.slice(0, 200))?.[1] : json["level"];
  return {
    message,
    timestampMs: Math.round(Number.isFinite(parsed) && parsed >= 0 ? parsed : fallbackMs),
    level: levels.find((level) => level === word),
  };
}

/** An event without a level is kept: what cannot be judged is not thrown away. */
export function isAtLeast(event: FileEvent, minimum: LogLevelName): boolean {
  return event.level === undefined || levels.indexOf(event.level) >= levels.indexOf(minimum);
}

/** Cuts a message that is too long for one event, between code points, into parts marked `[part k/n]`. */
export function split(event: FileEvent): FileEvent[] {
  if (utf8Bytes(event.message) <= EVENT_BYTES_MAX) return [event];
  const room = EVENT_BYTES_MAX - 24;
  const parts: string[] = [];
  let part = "";
  let bytes = 0;
  for (const character of event.message) {
    const size = utf8Bytes(character);
    if (bytes + size > room) {
      parts.push(part);
      part = "";
      bytes = 0;
    }
    part += character;
    bytes += size;
  }
  parts.push(part);
  return parts.map((text, index) => ({ ...event, message: `[part ${index + 1}/${parts.length}] ${text}` }));
}

/** Length in UTF-8 without encoding it. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00) {
      bytes += 4;
      index++;
    } else bytes += 3;
  }
  return bytes;
}

function fields(message: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(message);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}
