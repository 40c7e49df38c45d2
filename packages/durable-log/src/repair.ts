import type { Crypto, Files } from "@coalmine/ports";
import { examineLog, inspectLog } from "./inspect.ts";
import type { Damage } from "./options.ts";
import { Quarantine } from "./quarantine.ts";
import { rewriteSegment } from "./rewrite.ts";
import { toHex } from "./segment.ts";
import type { LogKeys } from "./segment-cipher.ts";

/** A segment that had to be repaired. */
export interface Repaired {
  readonly segment: number;
  /** What was taken out of it; `isKept` where the bytes lie in quarantine. */
  readonly damage: readonly Damage[];
  /** Records it holds now. */
  readonly records: number;
  /** Why it could not be repaired and is as it was. */
  readonly problem?: string;
}

/**
 * Writes every damaged segment anew from its intact records. Nobody else may have the log open. What was lost stays
 * lost: the reader tells the same records and gaps as before.
 */
export async function repairLog(
  files: Files,
  folder: string,
  crypto: Crypto,
  keys: LogKeys = { known: new Map() },
): Promise<readonly Repaired[]> {
  const damage: Damage[] = [];
  const quarantine = new Quarantine(files, folder, (place) => damage.push(place));
  const found = await inspectLog(files, folder, crypto, keys);
  // A log that lost every header and cursor gets a numbering of its own, as opening it would give it.
  const epoch = found.epoch ?? toHex(crypto.randomBytes(16));
  const repaired: Repaired[] = [];
  for await (const { report, bytes } of examineLog(files, folder, crypto, keys)) {
    const { first, damaged, tornBytes, hasHeader, sizeBytes } = report;
    if (damaged.length === 0 && tornBytes === 0 && hasHeader) continue;
    const torn = tornBytes === 0 ? [] : [{ from: sizeBytes - tornBytes, to: sizeBytes }];
    const told = damage.length;
    for (const { from, to } of [...damaged, ...torn])
      await quarantine.keep(first, from, bytes.subarray(from, to));
    const isLast = found.segments.at(-1)?.first === first;
    const below = isLast ? Infinity : report.last + 1;
    const rewritten = await rewriteSegment(
      { files, folder, crypto, epoch },
      { first, sizeBytes, below },
      keys,
      {
        isThinned: false,
        keep: () => true,
      },
    );
    const places = damage.slice(told);
    const why = report.gaps.find((gap) => gap.why !== undefined)?.why;
    repaired.push(
      rewritten === undefined
        ? {
            segment: first,
            damage: places,
            records: report.records,
            problem: `it holds records ${why ?? ""}`,
          }
        : { segment: first, damage: places, records: rewritten.kept },
    );
  }
  return repaired;
}
