import { encode } from "uqr";

/** Light modules that a reader needs all round. @see ISO/IEC 18004, 9.1 */
export const QUIET_MODULES = 4;

export interface Qr {
  /** Modules a side, without the quiet zone. */
  readonly size: number;
  /** Dark modules that lie side by side. */
  readonly runs: readonly Run[];
}

export interface Run {
  readonly x: number;
  readonly y: number;
  readonly length: number;
}

/** Readable with 15 % of it scratched, or more where that makes it no larger. */
export function qrOf(text: string): Qr {
  const { size, data } = encode(text, { ecc: "M", boostEcc: true, border: 0 });
  return { size, runs: data.flatMap(runsOf) };
}

function runsOf(row: readonly boolean[], y: number): Run[] {
  return row.flatMap((isDark, x) => {
    if (!isDark || row[x - 1] === true) return [];
    const end = row.indexOf(false, x);
    return [{ x, y, length: (end === -1 ? row.length : end) - x }];
  });
}
