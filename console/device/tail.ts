import type { LogLine, LogPage } from "@coalmine/contract/operator-api";

/** Lines that a page holds: a browser draws and searches them at once. The server has all. */
export const LINES_MAX = 2000;

/** The lines of a page, oldest first; `waiting` came while it was paused. */
export interface Tail {
  readonly lines: readonly LogLine[];
  readonly waiting: readonly LogLine[];
  readonly isPaused: boolean;
  /** Lines that had to make room, between what is shown and the present. */
  readonly dropped: number;
}
export const emptyTail: Tail = { lines: [], waiting: [], isPaused: false, dropped: 0 };

/** New lines. Paused, they are kept as well: nothing is lost by reading. */
export function come(tail: Tail, fresh: readonly LogLine[]): Tail {
  const place = tail.isPaused ? "waiting" : "lines";
  const all = [...tail[place], ...fresh];
  const over = Math.max(0, all.length - LINES_MAX);
  return { ...tail, [place]: all.slice(over), dropped: tail.dropped + over };
}

/** Lines from before the first one, asked for by who reads: of the newest as many make room as is needed. */
export function before(tail: Tail, earlier: readonly LogLine[]): Tail {
  const all = [...earlier, ...tail.lines];
  const over = Math.max(0, all.length - LINES_MAX);
  return {
    // Who reads backwards does not want to be pushed forwards.
    isPaused: true,
    lines: all.slice(0, LINES_MAX),
    waiting: [...all.slice(LINES_MAX), ...tail.waiting].slice(-LINES_MAX),
    dropped: tail.dropped + Math.max(0, over + tail.waiting.length - LINES_MAX),
  };
}

/**
 * A page that begins early enough to have a line that somebody sent a link to: earlier ones are put before it until it
 * does, or holds as many lines as it may.
 */
export async function reaching(
  page: LogPage,
  cursor: string,
  ask: (before: string) => Promise<LogPage | undefined>,
): Promise<LogPage> {
  const [first] = page.lines;
  if (first === undefined || !page.earlier || page.lines.length >= LINES_MAX || has(page.lines, cursor))
    return page;
  const more = await ask(first.cursor);
  if (more === undefined || more.lines.length === 0) return page;
  return reaching(
    { ...page, lines: [...more.lines, ...page.lines].slice(-LINES_MAX), earlier: more.earlier },
    cursor,
    ask,
  );
}

export function has(lines: readonly LogLine[], cursor: string): boolean {
  return lines.some((line) => line.cursor === cursor);
}

export function paused(tail: Tail, isPaused: boolean): Tail {
  return isPaused ? { ...tail, isPaused } : come({ ...tail, isPaused, waiting: [] }, tail.waiting);
}

/** The lines that hold all the words. */
export function found(lines: readonly LogLine[], text: string): readonly LogLine[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return lines;
  return lines.filter(({ message, component, level = "" }) => {
    const line = `${component} ${level} ${message}`.toLowerCase();
    return words.every((word) => line.includes(word));
  });
}
