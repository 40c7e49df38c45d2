import { short } from "../pdf/canvas.ts";
import { escapeHtml } from "../report/escape-html.ts";
import type { Texts } from "../report/texts/texts.ts";
import type { Label } from "./label.ts";
import { LABEL_MM, placedTexts, QR_MM } from "./layout.ts";
import { letterSizeMm, letterWidth } from "./lettering.ts";
import { QUIET_MODULES, qrOf } from "./qr.ts";

/** For a page. The lengths of the lines are given, so that no browser's own letters leave the label. */
export function labelSvg(label: Label, captions: Texts["label"]): string {
  const qr = qrOf(label.qrText);
  const module = QR_MM.side / (qr.size + 2 * QUIET_MODULES);
  const path = qr.runs
    .map(({ x, y, length }) => `M${x + QUIET_MODULES} ${y + QUIET_MODULES}h${length}v1h-${length}z`)
    .join("");
  const texts = placedTexts(label, captions, letterWidth).map(
    ({ text, xMm, yMm, capitalMm, strong }) =>
      `<text x="${short(xMm)}" y="${short(yMm)}" font-size="${short(letterSizeMm(capitalMm))}"${strong ? ' font-weight="bold"' : ""} textLength="${short(letterWidth(text, capitalMm, strong))}" lengthAdjust="spacingAndGlyphs">${escapeHtml(text)}</text>`,
  );
  const { width, height } = LABEL_MM;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(`${label.thing} ${label.code}`)}" font-family="Helvetica, Arial, sans-serif">
<rect width="${width}" height="${height}" fill="#fff"/>
<path transform="translate(${QR_MM.x} ${QR_MM.y}) scale(${module})" shape-rendering="crispEdges" d="${path}"/>
${texts.join("\n")}
</svg>
`;
}
