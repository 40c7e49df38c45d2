import type { Crypto, Files, Instant } from "@coalmine/ports";
import { cursorName, type CursorPlace, cursorPlace } from "./cursor.ts";
import type { Gap } from "./frame.ts";
import { fileErrorCode } from "./log-error.ts";
import { findEpoch } from "./recover.ts";
import { type Extent, type Scan, scanFrames } from "./scan.ts";
import { readHeader, SEGMENT_HEADER_BYTES, segmentFirst, segmentName } from "./segment.ts";
import { type LogKeys, opener } from "./segment-cipher.ts";
import type { Chunk } from "./segment-reader.ts";
import { readSlots } from "./slots.ts";

/** What inspecting needs of the `files` port: nothing that could change the folder. */
export type ReadableFiles = Pick<Files, "list" | "open">;

export interface SegmentReport {
  /** Of its name; `last` is the number in front of the next segment's, or of the newest intact record. */
  readonly first: number;
  readonly last: number;
  readonly sizeBytes: number;
  /** Those that can be read. */
  readonly records: number;
  readonly oldestMs: Instant | undefined;
  readonly newestMs: Instant | undefined;
  /** False where the header is damaged: then it costs nothing, and its times are not known. */
  readonly hasHeader: boolean;
  readonly isSealed: boolean;
  readonly isThinned: boolean;
  /** 0 where its records are in the clear. */
  readonly keyId: number;
  readonly gaps: readonly Gap[];
  /** Bytes that are no frame where frames should be. */
  readonly damaged: readonly Extent[];
  /** Behind the last frame of the last segment: torn by a crash, damaged, or being written at this moment. */
  readonly tornBytes: number;
}

export interface LogReport {
  /** Undefined where no header and no cursor tells it. */
  readonly epoch: string | undefined;
  readonly segments: readonly SegmentReport[];
  readonly cursors: readonly ({ readonly name: string } & CursorPlace)[];
  readonly quarantined: readonly string[];
  readonly bytes: number;
  readonly records: number;
  /** Numbers without a record between the oldest and the newest. */
  readonly missing: number;
}

/** A segment as it was read, with its report. */
interface Examined {
  readonly report: SegmentReport;
  readonly scan: Scan;
  readonly bytes: Uint8Array;
}

/** What stands in a log's folder, stopped or running, read by the rules of its own reader. Changes nothing. */
export async function inspectLog(
  files: ReadableFiles,
  folder: string,
  crypto: Crypto,
  keys?: LogKeys,
): Promise<LogReport> {
  const segments: SegmentReport[] = [];
  for await (const { report } of examineLog(files, folder, crypto, keys)) segments.push(report);
  const cursors = await readCursors(files, folder, crypto);
  const epoch = await findEpoch(files, folder, segments, cursors, crypto);
  const quarantined = await files.list(`${folder}/quarantine`).catch(unlessMissing);
  return {
    epoch,
    segments,
    cursors,
    quarantined,
    bytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    records: segments.reduce((sum, { records }) => sum + records, 0),
    missing: segments.flatMap(({ gaps }) => gaps).reduce((sum, { first, last }) => sum + last - first + 1, 0),
  };
}

/** Every record and gap from a number on, segment by segment, without opening the log. */
export async function* readLog(
  files: ReadableFiles,
  folder: string,
  crypto: Crypto,
  options: { readonly keys?: LogKeys; readonly from?: number } = {},
): AsyncGenerator<Chunk, void> {
  const { keys, from = 1 } = options;
  for await (const { report, scan } of examineLog(files, folder, crypto, keys, from))
    yield {
      records: scan.records.filter(({ sequence }) => sequence >= from),
      gaps: report.gaps
        .filter(({ last }) => last >= from)
        .map((gap) => ({ ...gap, first: Math.max(gap.first, from) })),
      next: report.last + 1,
    };
}

/** Each segment that holds numbers of `from` on, oldest first. One that is freed meanwhile is passed over. */
export async function* examineLog(
  files: ReadableFiles,
  folder: string,
  crypto: Crypto,
  keys: LogKeys | undefined,
  from = 1,
): AsyncGenerator<Examined, void> {
  const firsts = (await files.list(folder)).flatMap((name) => segmentFirst(name) ?? []).sort((a, b) => a - b);
  const cursors = await readCursors(files, folder, crypto);
  const epoch = await findEpoch(
    files,
    folder,
    firsts.map((first) => ({ first })),
    cursors,
    crypto,
  );
  for (const [at, first] of firsts.entries()) {
    const below = firsts[at + 1];
    if (below !== undefined && below <= from) continue;
    const bytes = await readWhole(files, `${folder}/${segmentName(first)}`);
    if (bytes === undefined) continue;
    const scan = scanFrames(
      bytes.subarray(SEGMENT_HEADER_BYTES),
      SEGMENT_HEADER_BYTES,
      { next: first, below: below ?? Infinity, last: Infinity },
      crypto,
      opener(keys, crypto, epoch ?? "", first),
    );
    yield { report: reportOf(first, below, bytes, scan, crypto), scan, bytes };
  }
}

function reportOf(
  first: number,
  below: number | undefined,
  bytes: Uint8Array,
  scan: Scan,
  crypto: Crypto,
): SegmentReport {
  const header = readHeader(bytes, crypto);
  const lacksTheEnd = below !== undefined && scan.next < below;
  const times = scan.records.map(({ timeMs }) => timeMs);
  const rest = { from: scan.end, to: bytes.length };
  return {
    first,
    last: (below ?? scan.next) - 1,
    sizeBytes: bytes.length,
    records: scan.records.length,
    oldestMs: times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b)),
    newestMs: times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b)),
    hasHeader: header !== undefined,
    isSealed: scan.sealed,
    isThinned: header?.isThinned === true,
    keyId: header?.keyId ?? scan.keyId,
    gaps: lacksTheEnd ? [...scan.gaps, { first: scan.next, last: below - 1 }] : scan.gaps,
    damaged: lacksTheEnd && rest.to > rest.from ? [...scan.damaged, rest] : scan.damaged,
    tornBytes: below === undefined ? Math.max(0, rest.to - rest.from) : 0,
  };
}

async function readCursors(
  files: ReadableFiles,
  folder: string,
  crypto: Crypto,
): Promise<({ name: string } & CursorPlace)[]> {
  const cursors: ({ name: string } & CursorPlace)[] = [];
  for (const file of await files.list(folder)) {
    const name = cursorName(file);
    if (name === undefined) continue;
    const place = cursorPlace(await readSlots(files, `${folder}/${file}`, crypto));
    cursors.push({ name, epoch: "", done: 0, reserved: 0, ...place });
  }
  return cursors;
}

async function readWhole(files: ReadableFiles, path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await files.open(path, "read");
    return await file
      .size()
      .then((sizeBytes) => file.read(0, sizeBytes))
      .finally(() => file.close());
  } catch (failure) {
    if (fileErrorCode(failure) === "ENOENT") return undefined;
    throw failure;
  }
}

function unlessMissing(failure: unknown): readonly string[] {
  if (fileErrorCode(failure) !== "ENOENT") throw failure;
  return [];
}
