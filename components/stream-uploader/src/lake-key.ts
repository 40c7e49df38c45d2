import type { Range } from "./sinks/sink.ts";

const DAY_MS = 86_400_000;

/** The UTC day of an instant, as a whole number; and its name, `2026-03-01`. */
export const dayOf = (sampleTimeMs: number): number => Math.floor(sampleTimeMs / DAY_MS);
export const dayName = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/**
 * The key of an object: a pure function of what is in it, so that a second attempt meets the first one's object. The
 * epoch is random for each numbering, so that a device that lost its log never meets its old objects.
 */
export function lakeKey(parts: {
  readonly prefix: string;
  readonly thing: string;
  readonly range: Range;
  readonly day: number;
  /** Version of the layout and the file's ending, `v1.parquet`. */
  readonly ending: string;
}): string {
  const { prefix, thing, range, day, ending } = parts;
  const { epoch, first, last } = range;
  return `${prefix}/dt=${dayName(day)}/thing=${thing}/${epoch}-${first}-${last}-${ending}`;
}
