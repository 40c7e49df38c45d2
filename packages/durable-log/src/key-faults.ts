import { scanFrames } from "./scan.ts";
import { readHeader, SEGMENT_HEADER_BYTES, segmentName, type SegmentPlace } from "./segment.ts";
import { type KeyId, type LogKeys, opener } from "./segment-cipher.ts";
import type { Segments } from "./segments.ts";

/** A key that segments need, and that is not there or is another. */
export interface KeyFault {
  readonly keyId: KeyId;
  readonly kind: "missing" | "another";
  /** The newest records that need it. */
  readonly first: number;
  readonly last: number;
}

/** Looks at the segments behind `done`, newest first, and opens one record of each key. Runs in the log's own turn. */
export async function keyFaults(
  place: SegmentPlace,
  segments: Segments,
  done: number,
  newest: number,
  keys: LogKeys,
): Promise<readonly KeyFault[]> {
  const { crypto, epoch } = place;
  const judged = new Set<KeyId>();
  const faults: KeyFault[] = [];
  for (const { first, sizeBytes } of segments.all.toReversed()) {
    const below = segments.at(first)?.below;
    const last = (below ?? newest + 1) - 1;
    if (last <= done || last < first) continue;
    const file = await place.files.open(`${place.folder}/${segmentName(first)}`, "read");
    try {
      const keyId = readHeader(await file.read(0, SEGMENT_HEADER_BYTES), crypto)?.keyId ?? 0;
      if (keyId === 0 || judged.has(keyId)) continue;
      if (!keys.known.has(keyId)) {
        judged.add(keyId);
        faults.push({ keyId, kind: "missing", first, last });
        continue;
      }
      const bytes = (await file.read(0, sizeBytes)).subarray(SEGMENT_HEADER_BYTES);
      const range = { next: first, below: below ?? Infinity, last: first };
      const scan = scanFrames(bytes, SEGMENT_HEADER_BYTES, range, crypto, opener(keys, crypto, epoch, first));
      const isAnother = scan.gaps.some(({ why }) => why !== undefined);
      if (isAnother) faults.push({ keyId, kind: "another", first, last });
      // A segment whose first record is damaged says nothing of its key.
      if (isAnother || scan.records.length > 0) judged.add(keyId);
    } finally {
      await file.close();
    }
  }
  return faults;
}
