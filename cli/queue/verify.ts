import type { LogReport, Repaired } from "@coalmine/durable-log";
import type { Queue } from "./find-queues.ts";

/** A queue as it was read, and whether anything in it is not as it was written. */
export interface Verified extends LogReport {
  readonly name: string;
  readonly folder: string;
  /** Processes that have it open: then its last bytes may be a record on its way. */
  readonly users: readonly number[];
  readonly isSound: boolean;
  /** One sentence for each thing that is wrong. */
  readonly problems: readonly string[];
}

/** Judges a report. Missing numbers alone are no damage: they were given up, or were told and repaired before. */
export function verify({ name, folder }: Queue, report: LogReport, users: readonly number[]): Verified {
  const problems = report.segments.flatMap((segment) => {
    const { first, last, gaps, damaged, tornBytes, hasHeader } = segment;
    const lost = gaps.map((gap) => (gap.first === gap.last ? `${gap.first}` : `${gap.first} to ${gap.last}`));
    const found = damaged.map(
      ({ from, to }) =>
        `segment ${first} (to ${last}): bytes ${from} to ${to} hold no record; missing in it: ${lost.join(", ") || "none"}`,
    );
    if (!hasHeader) found.push(`segment ${first}: its header is damaged, which costs no record`);
    if (tornBytes > 0 && users.length === 0)
      found.push(
        `segment ${first}: its last ${tornBytes} bytes are torn or damaged; no record can be read from them`,
      );
    return found;
  });
  const unread = report.segments.flatMap(({ gaps }) => gaps.filter(({ why }) => why !== undefined));
  for (const { first, last, why } of unread) problems.push(`${first} to ${last}: ${why}`);
  return { name, folder, users, isSound: problems.length === 0, problems, ...report };
}

/** An entry of `queue list --json`. */
export function listed({ name, folder, users, isSound, ...report }: Verified) {
  const { records, missing, bytes, segments, cursors, quarantined } = report;
  return {
    name,
    folder,
    isInUse: users.length > 0,
    isSound,
    segments: segments.length,
    sizeBytes: bytes,
    records,
    missing,
    first: segments[0]?.first,
    last: segments.at(-1)?.last,
    oldestMs: segments.find(({ oldestMs }) => oldestMs !== undefined)?.oldestMs,
    cursors,
    quarantined: quarantined.length,
  };
}

export function verifiedTold(found: Verified): string {
  const { name, segments, records, missing, problems, isSound, quarantined } = found;
  const kept = quarantined.length === 0 ? "" : `; ${quarantined.length} damaged places lie in quarantine`;
  return [
    `${name}: ${segments.length} segments, ${records} records, ${missing} numbers missing${kept}`,
    ...problems,
    isSound
      ? "it is sound"
      : "stop the device and run queue repair, or let it be: its reader passes over what is damaged",
  ].join("\n");
}

export function repairTold(repaired: readonly Repaired[]): string {
  if (repaired.length === 0) return "nothing is damaged: nothing was written";
  return repaired
    .map(({ segment, damage, records, problem }) =>
      problem === undefined
        ? `segment ${segment}: written anew with ${records} records; ${damage.filter(({ isKept }) => isKept).length} of ${damage.length} damaged places lie in quarantine`
        : `segment ${segment}: left as it is, since ${problem}`,
    )
    .join("\n");
}

export function instant(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
