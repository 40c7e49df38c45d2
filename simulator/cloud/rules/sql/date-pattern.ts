import { toNumber, type SqlValue } from "./value.ts";

/** The letters of Joda's patterns that are written as numbers. In UTC alone. */
const fields: Readonly<Record<string, (date: Date) => number>> = {
  y: (date) => date.getUTCFullYear(),
  M: (date) => date.getUTCMonth() + 1,
  d: (date) => date.getUTCDate(),
  H: (date) => date.getUTCHours(),
  m: (date) => date.getUTCMinutes(),
  s: (date) => date.getUTCSeconds(),
  S: (date) => date.getUTCMilliseconds(),
};
const PATTERN_CHARACTERS_MAX = 100;

/** `parse_time(pattern, milliseconds)`. A letter beyond those above, or another zone, gives Undefined. */
export function dateText(pattern: SqlValue, at: SqlValue, zone: SqlValue): SqlValue {
  const milliseconds = toNumber(at);
  const parts = partsOf(pattern);
  const isUtc = zone === undefined || zone === "UTC";
  if (milliseconds === undefined || Math.abs(milliseconds) > 8.64e15 || parts === undefined || !isUtc)
    return undefined;
  const date = new Date(milliseconds);
  return parts
    .map(({ letter, width, literal }) =>
      letter === undefined
        ? literal
        : String(fields[letter]?.(date)).padStart(width, "0").slice(-Math.max(width, 4)),
    )
    .join("");
}

/** `time_to_epoch(text, pattern)`: milliseconds. */
export function dateValue(text: SqlValue, pattern: SqlValue): SqlValue {
  const parts = partsOf(pattern);
  if (typeof text !== "string" || parts === undefined) return undefined;
  const found = new Map<string, number>();
  let rest = text;
  for (const { letter, width, literal } of parts) {
    const part = letter === undefined ? literal : new RegExp(`^\\d{${width}}`).exec(rest)?.[0];
    if (part === undefined || !rest.startsWith(part)) return undefined;
    if (letter !== undefined) found.set(letter, Number(part));
    rest = rest.slice(part.length);
  }
  const of = (letter: string, otherwise: number): number => found.get(letter) ?? otherwise;
  const at = Date.UTC(
    of("y", 1970),
    of("M", 1) - 1,
    of("d", 1),
    of("H", 0),
    of("m", 0),
    of("s", 0),
    of("S", 0),
  );
  return rest === "" ? at : undefined;
}

interface Part {
  readonly letter: string | undefined;
  readonly width: number;
  readonly literal: string;
}

function partsOf(pattern: SqlValue): readonly Part[] | undefined {
  if (typeof pattern !== "string" || pattern.length > PATTERN_CHARACTERS_MAX) return undefined;
  const parts = [...pattern.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+/g)].map((match): Part => {
    const letter = match[2];
    return { letter, width: match[0].length, literal: match[1] ?? match[0] };
  });
  return parts.every(({ letter }) => letter === undefined || letter in fields) ? parts : undefined;
}
