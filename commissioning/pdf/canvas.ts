import type { Font } from "./text-width.ts";
import { winAnsi } from "./win-ansi.ts";

export const fontNames: Readonly<Record<Font, string>> = {
  Helvetica: "F1",
  "Helvetica-Bold": "F2",
  Courier: "F3",
};

/** What stands on one page. Lengths in points, from the top left corner; a text stands on its base line. */
export class Canvas {
  readonly widthPt: number;
  readonly heightPt: number;
  readonly #operators: string[] = [];

  constructor(widthPt: number, heightPt: number) {
    this.widthPt = widthPt;
    this.heightPt = heightPt;
  }

  text(text: string, at: { xPt: number; yPt: number; font: Font; sizePt: number }): void {
    const { xPt, yPt, font, sizePt } = at;
    this.#operators.push(
      `BT /${fontNames[font]} ${short(sizePt)} Tf ${short(xPt)} ${short(this.heightPt - yPt)} Td (${escaped(text)}) Tj ET`,
    );
  }

  /** Black, or a grey from 0 (black) to 1. */
  rectangle(box: { xPt: number; yPt: number; widthPt: number; heightPt: number; grey?: number }): void {
    const { xPt, yPt, widthPt, heightPt, grey = 0 } = box;
    this.#operators.push(
      `${short(grey)} g ${short(xPt)} ${short(this.heightPt - yPt - heightPt)} ${short(widthPt)} ${short(heightPt)} re f 0 g`,
    );
  }

  get content(): string {
    return `${this.#operators.join("\n")}\n`;
  }
}

function escaped(text: string): string {
  return winAnsi(text)
    .map((code) => {
      const character = String.fromCharCode(code);
      if ("()\\".includes(character)) return `\\${character}`;
      return code < 0x7f ? character : `\\${code.toString(8)}`;
    })
    .join("");
}

/** To a thousandth, without zeros that say nothing. */
export function short(number: number): string {
  return String(Math.round(number * 1000) / 1000);
}
