import type { Texts } from "../report/texts/texts.ts";
import type { Label } from "./label.ts";
import { type Qr, QUIET_MODULES } from "./qr.ts";
import { linesThatFit } from "./shortened.ts";

/** A usual size of thermal labels, and 8 or 11.8 dots a millimetre of it. */
export const LABEL_MM = { width: 50, height: 30 } as const;
/** The quiet zone is part of it. */
export const QR_MM = { x: 0.75, y: 2.75, side: 24.5 } as const;
/** What label printers have. */
export type Dpi = 203 | 300;
const INCH_MM = 25.4;
const COLUMN_MM = { x: 26, width: 23, top: 2.25 } as const;
const PITCH_MM = 2.8;
/** Of capitals. */
const CAPITAL_MM = { text: 1.75, code: 2.625 } as const;
const THING_LINES_MAX = 2;

export interface PlacedText {
  readonly text: string;
  readonly xMm: number;
  /** Of the base line. */
  readonly yMm: number;
  readonly capitalMm: number;
  readonly strong: boolean;
}

export function dotsOf(mm: number, dpi: Dpi): number {
  return Math.round((mm * dpi) / INCH_MM);
}

/** Dots of a module: a whole number, so that all are alike. */
export function moduleDots({ size }: Qr, dpi: Dpi): number {
  return Math.floor(dotsOf(QR_MM.side, dpi) / (size + 2 * QUIET_MODULES));
}

/** How wide a text becomes in the renderer's own letters. */
export type Measure = (text: string, capitalMm: number, strong: boolean) => number;

/** The texts beside the QR code, each within its column: what is too long is shortened in its middle. */
export function placedTexts(label: Label, captions: Texts["label"], measure: Measure): readonly PlacedText[] {
  const { thing, serial, site, room, asset, code } = label;
  const placed: PlacedText[] = [];
  let yMm: number = COLUMN_MM.top;
  const place = (text: string, strong: boolean, linesMax = 1, capitalMm: number = CAPITAL_MM.text): void => {
    const fits = (line: string): boolean => measure(line, capitalMm, strong) <= COLUMN_MM.width;
    for (const line of linesThatFit(text, linesMax, fits)) {
      yMm += PITCH_MM * (capitalMm / CAPITAL_MM.text);
      placed.push({ text: line, xMm: COLUMN_MM.x, yMm, capitalMm, strong });
    }
  };
  place(thing, true, THING_LINES_MAX);
  if (serial !== thing) place(`${captions.serial} ${serial}`, false);
  place(`${captions.site} ${site}`, false, 2);
  if (room !== undefined) place(`${captions.room} ${room}`, false);
  if (asset !== undefined) place(`${captions.asset} ${asset}`, false);
  place(code, true, 1, CAPITAL_MM.code);
  return placed;
}
