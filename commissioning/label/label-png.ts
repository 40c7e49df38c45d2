import type { Texts } from "../report/texts/texts.ts";
import { LETTER_DOTS, lettersColumns } from "./dot-letters.ts";
import type { Label } from "./label.ts";
import { LABEL_MM, type Measure, placedTexts, QR_MM } from "./layout.ts";
import { Dots, writePng } from "./png.ts";
import { QUIET_MODULES, qrOf } from "./qr.ts";
import type { Dpi } from "./zpl.ts";

const MM_PER_INCH = 25.4;

/** The label for a printer of whole dots: a module of the QR code is a whole number of them, and so is a dot of a letter. */
export function labelPng(label: Label, captions: Texts["label"], dpi: Dpi): Uint8Array {
  const dotsOf = (mm: number): number => Math.round((mm * dpi) / MM_PER_INCH);
  const scaleOf = (capitalMm: number): number => Math.floor(dotsOf(capitalMm) / LETTER_DOTS.capital);
  const measure: Measure = (text, capitalMm, strong) =>
    ((Array.from(text).length * LETTER_DOTS.pitch * scaleOf(capitalMm) + (strong ? 1 : 0)) * MM_PER_INCH) /
    dpi;

  const dots = new Dots(dotsOf(LABEL_MM.width), dotsOf(LABEL_MM.height));
  const qr = qrOf(label.qrText);
  const module = Math.floor(dotsOf(QR_MM.side) / (qr.size + 2 * QUIET_MODULES));
  // What is left of the square is quiet zone too.
  const margin = Math.floor((dotsOf(QR_MM.side) - qr.size * module) / 2);
  for (const { x, y, length } of qr.runs)
    dots.fill(
      dotsOf(QR_MM.x) + margin + x * module,
      dotsOf(QR_MM.y) + margin + y * module,
      length * module,
      module,
    );

  for (const { text, xMm, yMm, capitalMm, strong } of placedTexts(label, captions, measure)) {
    const scale = scaleOf(capitalMm);
    const top = dotsOf(yMm) - (LETTER_DOTS.mark + LETTER_DOTS.capital) * scale;
    for (const [index, character] of Array.from(text).entries())
      for (const [column, bits] of lettersColumns(character).entries())
        for (let row = 0; bits >> row > 0; row++)
          if ((bits >> row) & 1)
            dots.fill(
              dotsOf(xMm) + (index * LETTER_DOTS.pitch + column) * scale,
              top + row * scale,
              // Bold is a dot wider.
              scale + (strong ? 1 : 0),
              scale,
            );
  }
  return writePng(dots, dpi);
}
