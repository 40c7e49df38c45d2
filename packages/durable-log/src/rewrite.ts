import { AFTER_GAP_FLAG, type LogRecord, sealedBytes, writeFrame } from "./frame.ts";
import { scanFrames } from "./scan.ts";
import {
  putSegment,
  readHeader,
  sealFrame,
  SEGMENT_HEADER_BYTES,
  segmentName,
  type SegmentPlace,
} from "./segment.ts";
import { type LogKeys, newCipher, opener } from "./segment-cipher.ts";

/**
 * Writes a segment anew with those of its records that `keep` wants, sealed, and puts it in the old one's place: after
 * a crash it is the one or the other. Answers its size and the numbers that were dropped, or undefined where records
 * cannot be opened, and so not be moved.
 */
export async function rewriteSegment(
  place: SegmentPlace,
  segment: { readonly first: number; readonly sizeBytes: number; readonly below: number },
  keys: LogKeys,
  change: { readonly isThinned: boolean; readonly keep: (record: LogRecord, index: number) => boolean },
): Promise<
  { readonly sizeBytes: number; readonly kept: number; readonly dropped: readonly number[] } | undefined
> {
  const { files, folder, crypto, epoch } = place;
  const { first, below } = segment;
  const file = await files.open(`${folder}/${segmentName(first)}`, "read");
  const bytes = await file.read(0, segment.sizeBytes).finally(() => file.close());
  const scan = scanFrames(
    bytes.subarray(SEGMENT_HEADER_BYTES),
    SEGMENT_HEADER_BYTES,
    { next: first, below, last: Infinity },
    crypto,
    opener(keys, crypto, epoch, first),
  );
  if (scan.gaps.some(({ why }) => why !== undefined)) return undefined;
  const header = readHeader(bytes, crypto);
  const cipher =
    scan.keyId === 0 ? undefined : newCipher({ ...keys, current: scan.keyId }, crypto, epoch, first);

  const kept = scan.records.filter(change.keep);
  const wanted = new Set(kept.map(({ sequence }) => sequence));
  const dropped = scan.records.map(({ sequence }) => sequence).filter((sequence) => !wanted.has(sequence));
  const next = Number.isFinite(below) ? below : scan.next;
  const lengthBytes = kept.reduce((sum, { payload }) => sum + sealedBytes(payload.length, cipher), 0);
  const frames = new Uint8Array(lengthBytes);
  let offset = 0;
  let expected = first;
  for (const record of kept) {
    const flags = record.sequence === expected ? 0 : AFTER_GAP_FLAG;
    writeFrame(frames, offset, SEGMENT_HEADER_BYTES + offset, record, flags, crypto, cipher);
    offset += sealedBytes(record.payload.length, cipher);
    expected = record.sequence + 1;
  }
  const end = SEGMENT_HEADER_BYTES + lengthBytes;
  const newestMs = kept.reduce((newest, { timeMs }) => Math.max(newest, timeMs), header?.createdMs ?? 0);
  const seal = sealFrame(
    { next, timeMs: newestMs, epoch, flags: next === expected ? 0 : AFTER_GAP_FLAG },
    end,
    crypto,
  );
  const written = await putSegment(
    place,
    first,
    {
      epoch,
      createdMs: header?.createdMs ?? kept[0]?.timeMs ?? 0,
      keyId: cipher?.keyId ?? 0,
      isThinned: change.isThinned || header?.isThinned === true,
    },
    async (into) => {
      await into.write(SEGMENT_HEADER_BYTES, frames);
      await into.write(end, seal);
    },
  );
  await written.close();
  return { sizeBytes: end + seal.length, kept: kept.length, dropped };
}
