import { LAKE_FILE_VERSION } from "./lake-file.ts";

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
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  readonly day: number;
}): string {
  const { prefix, thing, epoch, first, last, day } = parts;
  return `${prefix}/dt=${dayName(day)}/thing=${thing}/${epoch}-${first}-${last}-v${LAKE_FILE_VERSION}.parquet`;
}
