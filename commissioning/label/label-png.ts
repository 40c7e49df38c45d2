import type { Texts } from "../report/texts/texts.ts";
import { LETTER_DOTS, lettersColumns } from "./dot-letters.ts";
import type { Label } from "./label.ts";
import { type Dpi, dotsOf, LABEL_MM, type Measure, moduleDots, placedTexts, QR_MM } from "./layout.ts";
import { Dots, writePng } from "./png.ts";
import { qrOf } from "./qr.ts";

/** The label for a printer of whole dots: a module of the QR code is a whole number of them, and so is a dot of a letter. */
export function labelPng(label: Label, captions: Texts["label"], dpi: Dpi): Uint8Array {
  const at = (mm: number): number => dotsOf(mm, dpi);
  const dotsPerMm = at(LABEL_MM.width) / LABEL_MM.width;
  const scaleOf = (capitalMm: number): number => Math.floor(at(capitalMm) / LETTER_DOTS.capital);
  const measure: Measure = (text, capitalMm, strong) =>
    (Array.from(text).length * LETTER_DOTS.pitch * scaleOf(capitalMm) + (strong ? 1 : 0)) / dotsPerMm;

  const dots = new Dots(at(LABEL_MM.width), at(LABEL_MM.height));
  const qr = qrOf(label.qrText);
  const module = moduleDots(qr, dpi);
  // What is left of the square is quiet zone too.
  const margin = Math.floor((at(QR_MM.side) - qr.size * module) / 2);
  for (const { x, y, length } of qr.runs)
    dots.fill(at(QR_MM.x) + margin + x * module, at(QR_MM.y) + margin + y * module, length * module, module);

  for (const { text, xMm, yMm, capitalMm, strong } of placedTexts(label, captions, measure)) {
    const scale = scaleOf(capitalMm);
    const top = at(yMm) - (LETTER_DOTS.mark + LETTER_DOTS.capital) * scale;
    for (const [index, character] of Array.from(text).entries())
      for (const [column, bits] of lettersColumns(character).entries())
        for (let row = 0; bits >> row > 0; row++)
          if ((bits >> row) & 1)
            dots.fill(
              at(xMm) + (index * LETTER_DOTS.pitch + column) * scale,
              top + row * scale,
              // Bold is a dot wider.
              scale + (strong ? 1 : 0),
              scale,
            );
  }
  return writePng(dots, dpi);
}
