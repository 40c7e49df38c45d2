import { textWidth } from "../pdf/text-width.ts";
import type { Measure } from "./layout.ts";

/** Capitals of Helvetica, as a share of its size. */
const CAPITAL = 0.718;

export function letterSizeMm(capitalMm: number): number {
  return capitalMm / CAPITAL;
}

/** Of Helvetica. What a browser shows in its place, and the narrow letters of label printers, stay within it. */
export const letterWidth: Measure = (text, capitalMm, strong) =>
  textWidth(text, strong ? "Helvetica-Bold" : "Helvetica") * letterSizeMm(capitalMm);
