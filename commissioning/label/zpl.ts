import type { Texts } from "../report/texts/texts.ts";
import type { Label } from "./label.ts";
import { type Dpi, dotsOf, LABEL_MM, moduleDots, placedTexts, QR_MM } from "./layout.ts";
import { letterSizeMm, letterWidth } from "./lettering.ts";
import { QUIET_MODULES, qrOf } from "./qr.ts";

/** The printer knows no larger modules on older firmware. */
const MAGNIFICATION_MAX = 10;

/**
 * The label in the printer's own language, with its own letters (font 0, narrower than Helvetica) and its own QR code.
 * @see https://docs.zebra.com/us/en/printers/software/zpl-pg/zpl-commands.html
 */
export function labelZpl(label: Label, captions: Texts["label"], dpi: Dpi): string {
  const dots = (mm: number): number => dotsOf(mm, dpi);
  const module = Math.min(MAGNIFICATION_MAX, moduleDots(qrOf(label.qrText), dpi));
  const lines = placedTexts(label, captions, letterWidth).map(
    ({ text, xMm, yMm, capitalMm }) =>
      // A text hangs from its capitals' top.
      `^FO${dots(xMm)},${dots(yMm - capitalMm)}^A0N,${dots(letterSizeMm(capitalMm))}${field(text)}`,
  );
  return `^XA
^CI28
^PW${dots(LABEL_MM.width)}
^LL${dots(LABEL_MM.height)}
^LH0,0
^FO${dots(QR_MM.x) + QUIET_MODULES * module},${dots(QR_MM.y) + QUIET_MODULES * module}^BQN,2,${module}${field(`MA,${label.qrText}`)}
${lines.join("\n")}
^XZ
`;
}

/** Whatever could be a command, or is not ASCII, as hexadecimal bytes of UTF-8. */
function field(text: string): string {
  const written = Array.from(text).map((character) =>
    /[\w .,:/?=&()-]/.test(character) && character !== "_"
      ? character
      : Buffer.from(character).toString("hex").replaceAll(/../g, "_$&"),
  );
  return `^FH_^FD${written.join("")}^FS`;
}
