import { Canvas } from "../pdf/canvas.ts";
import { writePdf } from "../pdf/document.ts";
import type { Language } from "../language.ts";
import type { Texts } from "../report/texts/texts.ts";
import type { Label } from "./label.ts";
import { LABEL_MM, placedTexts, QR_MM } from "./layout.ts";
import { letterSizeMm, letterWidth } from "./lettering.ts";
import { QUIET_MODULES, qrOf } from "./qr.ts";

const PT_PER_MM = 72 / 25.4;

/** One page of the label's size. */
export function labelPdf(
  label: Label,
  captions: Texts["label"],
  { language, createdAt }: { readonly language: Language; readonly createdAt: string },
): string {
  const page = new Canvas(points(LABEL_MM.width), points(LABEL_MM.height));
  const qr = qrOf(label.qrText);
  const modulePt = points(QR_MM.side) / (qr.size + 2 * QUIET_MODULES);
  for (const { x, y, length } of qr.runs)
    page.rectangle({
      xPt: points(QR_MM.x) + (x + QUIET_MODULES) * modulePt,
      yPt: points(QR_MM.y) + (y + QUIET_MODULES) * modulePt,
      widthPt: length * modulePt,
      heightPt: modulePt,
    });
  for (const { text, xMm, yMm, capitalMm, strong } of placedTexts(label, captions, letterWidth))
    page.text(text, {
      xPt: points(xMm),
      yPt: points(yMm),
      font: strong ? "Helvetica-Bold" : "Helvetica",
      sizePt: points(letterSizeMm(capitalMm)),
    });
  return writePdf({ title: label.thing, language, createdAt, pages: [page] });
}

function points(mm: number): number {
  return mm * PT_PER_MM;
}
