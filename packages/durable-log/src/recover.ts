import type { Crypto, Files } from "@coalmine/ports";
import { Cursor, cursorName } from "./cursor.ts";
import { fileErrorCode } from "./log-error.ts";
import type { Gap } from "./frame.ts";
import { scanFrames } from "./scan.ts";
import {
  ActiveSegment,
  readHeader,
  SEGMENT_HEADER_BYTES,
  segmentFirst,
  segmentName,
  toHex,
} from "./segment.ts";
import type { SegmentInfo } from "./segments.ts";

const EPOCH_BYTES = 16;

/** What opening a log found. */
export interface Recovered {
  /** A name for this numbering, random; a log that lost its state starts a new one. */
  readonly epoch: string;
  readonly isNew: boolean;
  readonly segments: SegmentInfo[];
  readonly cursors: Map<string, Cursor>;
  /** The last segment, where it is whole and can be written on. */
  readonly active: ActiveSegment | undefined;
  /** The number of the next record. */
  readonly next: number;
  /** Bytes behind the last intact record of the last segment: what a crash tore before it was acknowledged. */
  readonly tornBytes: number;
  /** Numbers missing inside the last segment. */
  readonly gaps: readonly Gap[];
  /** The bytes of the last segment that are no frames, torn ones included. */
  readonly damaged: readonly {
    readonly segment: number;
    readonly from: number;
    readonly bytes: Uint8Array;
  }[];
}

/** Reads names, the last segment and the cursors; never an older segment's records. */
export async function recover(files: Files, folder: string, crypto: Crypto): Promise<Recovered> {
  await ensureFolder(files, folder);
  const names = await files.list(folder);
  for (const name of names.filter((name) => name.endsWith(".new"))) await files.remove(`${folder}/${name}`);
  const cursors = new Map<string, Cursor>();
  for (const file of names) {
    const name = cursorName(file);
    if (name !== undefined) cursors.set(name, await Cursor.open(files, folder, name, crypto));
  }
  // A name may have been made by a process that was killed before it synced the folder.
  await files.syncFolder(folder);
  const segments: SegmentInfo[] = [];
  for (const name of names) {
    const first = segmentFirst(name);
    if (first === undefined) continue;
    segments.push({ first, sizeBytes: (await files.status(`${folder}/${name}`)).sizeBytes });
  }
  segments.sort((a, b) => a.first - b.first);

  const known = await findEpoch(files, folder, segments, [...cursors.values()], crypto);
  const epoch = known ?? toHex(crypto.randomBytes(EPOCH_BYTES));
  for (const cursor of cursors.values()) cursor.enter(epoch);
  // A number that was reserved or done is never given again, even if the records behind it are gone.
  const told = Math.max(0, ...[...cursors.values()].map((cursor) => cursor.reserved));
  const last = segments.at(-1);
  const found = { epoch, isNew: known === undefined, segments, cursors };
  if (last === undefined)
    return { ...found, active: undefined, next: told + 1, tornBytes: 0, gaps: [], damaged: [] };

  const file = await files.open(`${folder}/${segmentName(last.first)}`, "write");
  const bytes = await file.read(0, last.sizeBytes);
  const scan = scanFrames(
    bytes.subarray(SEGMENT_HEADER_BYTES),
    SEGMENT_HEADER_BYTES,
    { next: last.first, below: Infinity, last: Infinity },
    crypto,
    // Time and number stand outside what is encrypted.
    ({ payload }) => payload,
  );
  last.newestMs = scan.records.reduce((newest, { timeMs }) => Math.max(newest, timeMs), -Infinity);
  const tornBytes = Math.max(0, bytes.length - scan.end);
  const header = readHeader(bytes, crypto);
  const isWhole =
    known !== undefined &&
    header !== undefined &&
    // A crash may have taken bytes that were encrypted for the next position: it is not used twice.
    header.keyId === 0 &&
    // Neither torn bytes nor padding that is missing: the next frame must start at a multiple of 8.
    bytes.length === scan.end &&
    scan.gaps.length === 0 &&
    !scan.sealed &&
    told < scan.next;
  // What was read may so far be only in the page cache: from here on it counts as stored.
  const isSynced = await file.sync().then(
    () => true,
    () => false,
  );
  const active =
    isSynced && isWhole ? new ActiveSegment(last.first, file, bytes.length, header.createdMs) : undefined;
  if (active === undefined) await file.close();
  const torn = tornBytes === 0 ? [] : [{ from: scan.end, to: bytes.length }];
  const damaged = [...scan.damaged, ...torn].map(({ from, to }) => ({
    segment: last.first,
    from,
    bytes: bytes.slice(from, to),
  }));
  return { ...found, active, next: Math.max(scan.next, told + 1), tornBytes, gaps: scan.gaps, damaged };
}

/** Any intact header or cursor tells the epoch: damage to one of them does not start a new numbering. */
export async function findEpoch(
  files: Pick<Files, "open">,
  folder: string,
  segments: readonly { readonly first: number }[],
  cursors: readonly { readonly epoch: string }[],
  crypto: Crypto,
): Promise<string | undefined> {
  for (const { first } of segments.toReversed()) {
    const file = await files.open(`${folder}/${segmentName(first)}`, "read");
    const header = readHeader(await file.read(0, SEGMENT_HEADER_BYTES), crypto);
    await file.close();
    if (header !== undefined) return header.epoch;
  }
  return cursors.map((cursor) => cursor.epoch).find((epoch) => epoch !== "");
}

async function ensureFolder(files: Files, folder: string): Promise<void> {
  const parts = folder.split("/");
  for (const [index] of parts.entries()) {
    try {
      await files.makeFolder(parts.slice(0, index + 1).join("/"));
    } catch (failure) {
      if (fileErrorCode(failure) !== "EEXIST") throw failure;
    }
    await files.syncFolder(parts.slice(0, index).join("/"));
  }
}
