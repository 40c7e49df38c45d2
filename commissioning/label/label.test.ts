import { crc32, inflateSync } from "node:zlib";
import fc from "fast-check";
import jsQr from "jsqr";
import { extractText, getDocumentProxy } from "unpdf";
import { describe, expect, test } from "vitest";
import { isShown } from "../pdf/win-ansi.ts";
import { textWidth } from "../pdf/text-width.ts";
import { Language } from "../language.ts";
import { texts } from "../report/texts/texts.ts";
import { labelPdf } from "./label-pdf.ts";
import { labelPng } from "./label-png.ts";
import { type Label, makeLabel } from "./label.ts";
import { LABEL_MM, placedTexts } from "./layout.ts";
import { letterWidth } from "./lettering.ts";
import { ShortCode, shortCodeOf } from "./short-code.ts";
import { linesThatFit } from "./shortened.ts";
import { labelSvg } from "./svg.ts";
import { labelZpl } from "./zpl.ts";

const label = makeLabel({
  thing: "core-17",
  serial: "SN_^~4711",
  site: "ward-7",
  room: "Baño 2",
  asset: "A (12) <&>",
  code: shortCodeOf("core-17"),
  qrText: "https://console.example/devices/core-17",
});
/** Everything as long as it may be. */
const long = makeLabel({
  thing: "W".repeat(128),
  serial: "M".repeat(128),
  site: `${"@".repeat(60)}END`,
  room: "W".repeat(64),
  asset: "W".repeat(64),
  code: shortCodeOf("W"),
  qrText: "x".repeat(200),
});
const captions = texts.en.label;

/** Width, height, dots a metre, and whether each dot is dark. */
function readPng(png: Uint8Array) {
  const bytes = Buffer.from(png);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const named = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(named));
    chunks.set(named.toString("ascii", 0, 4), named.subarray(4));
    at += 12 + length;
  }
  const header = chunks.get("IHDR") ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect([...header.subarray(8)]).toEqual([1, 0, 0, 0, 0]);
  const rows = inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0));
  const bytesPerRow = 1 + Math.ceil(width / 8);
  expect(rows).toHaveLength(bytesPerRow * height);
  const isDark = (x: number, y: number) =>
    (((rows[y * bytesPerRow + 1 + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1) === 0;
  return { width, height, dotsPerMetre: chunks.get("pHYs")?.readUInt32BE(0), isDark };
}

function readQr(png: Uint8Array): string | undefined {
  const { width, height, isDark } = readPng(png);
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rgba.set(isDark(x, y) ? [0, 0, 0, 255] : [255, 255, 255, 255], (y * width + x) * 4);
  return jsQr.default(rgba, width, height)?.data;
}

/** What a printer makes of the few commands that are used. */
function readZpl(zpl: string) {
  const fields = [...zpl.matchAll(/\^FO(\d+),(\d+)\^(A0N|BQN),(?:2,)?(\d+)\^FH_\^FD([^^]*)\^FS/g)].map(
    ([, x, y, kind, size, written = ""]) => {
      const bytes = Buffer.from(
        written.replaceAll(/_([0-9a-f]{2})/g, "%$1").replaceAll(/%(?![0-9a-f]{2})/g, "%25"),
      );
      return {
        x: Number(x),
        y: Number(y),
        kind,
        size: Number(size),
        text: decodeURIComponent(bytes.toString()),
      };
    },
  );
  const rest = zpl.replaceAll(/\^FO[^\n]*\^FS\n/g, "");
  return { fields, rest };
}

describe.each([203, 300] as const)("at %i dpi", (dpi) => {
  test("another program reads the QR code out of the picture", () => {
    for (const each of [label, long]) expect(readQr(labelPng(each, captions, dpi))).toBe(each.qrText);
    const { width, height, dotsPerMetre } = readPng(labelPng(label, captions, dpi));
    expect([width, height]).toEqual([50, 30].map((mm) => Math.round((mm * dpi) / 25.4)));
    expect(dotsPerMetre).toBe(Math.round(dpi / 0.0254));
  });

  test("the printer's program holds every text, none as a command, and nothing leaves the label", () => {
    const { fields, rest } = readZpl(labelZpl(label, captions, dpi));
    expect(fields.map(({ kind, text }) => [kind, text])).toEqual([
      ["BQN", `MA,${label.qrText}`],
      ["A0N", "core-17"],
      ["A0N", "Serial SN_^~4711"],
      ["A0N", "Site ward-7"],
      ["A0N", "Room Baño 2"],
      ["A0N", "Asset A (12) <&>"],
      ["A0N", label.code],
    ]);
    const [width, height] = [50, 30].map((mm) => Math.round((mm * dpi) / 25.4)) as [number, number];
    expect(rest).toBe(`^XA\n^CI28\n^PW${width}\n^LL${height}\n^LH0,0\n^XZ\n`);
    for (const { x, y, kind, size, text } of [fields, readZpl(labelZpl(long, captions, dpi)).fields].flat()) {
      // 57 modules are the most; the printer sets its code ten dots lower than it is told.
      const right =
        kind === "BQN"
          ? x + 57 * (text === `MA,${long.qrText}` ? size : 0)
          : x + textWidth(text, "Helvetica-Bold") * size;
      const bottom = kind === "BQN" ? y + 57 * (text === `MA,${long.qrText}` ? size : 0) + 10 : y + size;
      expect([right <= width + 1, bottom <= height], text).toEqual([true, true]);
    }
  });
});

test("each language's captions can be shown, and everything as long as it may be stays within the label", () => {
  for (const language of Language.options)
    for (const each of [label, long]) {
      const said = texts[language].label;
      for (const caption of Object.values(said)) expect(isShown(caption)).toBe(true);
      const placed = placedTexts(each, said, letterWidth);
      for (const { text, xMm, yMm, capitalMm, strong } of placed) {
        expect(xMm + letterWidth(text, capitalMm, strong)).toBeLessThanOrEqual(LABEL_MM.width - 1);
        expect([yMm - capitalMm > 1, yMm < LABEL_MM.height - 1]).toEqual([true, true]);
      }
      expect(placed.at(-1)?.text).toBe(each.code);
    }
});

test("the PDF and the SVG show what the label says", async () => {
  const pdf = labelPdf(label, texts.pt.label, { language: "pt", createdAt: "2026-11-27T21:00:00Z" });
  const document = await getDocumentProxy(new TextEncoder().encode(pdf));
  const { text } = await extractText(document, { mergePages: true });
  for (const shown of ["core-17", "Local ward-7", "Sala Baño 2", "Inv. A (12) <&>", label.code])
    expect(text).toContain(shown);
  const box = (await document.getPage(1)).view as readonly number[];
  expect(box.map((pt) => Math.round((pt * 25.4) / 72))).toEqual([0, 0, 50, 30]);

  const svg = labelSvg(label, captions);
  expect(svg).toContain(">Asset A (12) &lt;&amp;&gt;</text>");
  expect(svg).toContain(`aria-label="core-17 ${label.code}"`);
});

test("the same label is the same bytes", () => {
  const { language, createdAt } = { language: "de" as const, createdAt: "2026-11-27T21:00:00Z" };
  const all = () => [
    labelSvg(label, captions),
    Buffer.from(labelPng(label, captions, 203)).toString("base64"),
    labelPdf(label, captions, { language, createdAt }),
    labelZpl(label, captions, 203),
  ];
  expect(all()).toEqual(all());
});

test("a text that is too long loses its middle, and what fits is whole", () => {
  const fits = (line: string) => line.length <= 10;
  expect(linesThatFit("core-17", 1, fits)).toEqual(["core-17"]);
  expect(linesThatFit("core-of-ward-17", 2, fits)).toEqual(["core-of-wa", "rd-17"]);
  expect(linesThatFit("core-of-ward-17", 1, fits)).toEqual(["core-…d-17"]);
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      (text, linesMax) => {
        const lines = linesThatFit(text, linesMax, fits);
        return lines.length <= linesMax && lines.every(fits);
      },
    ),
  );
});

test("what cannot stand on a label is refused with a sentence", () => {
  const refused = (changes: Partial<Label>) => () => makeLabel({ ...label, ...changes });
  const settings = expect.objectContaining({ reason: "settings" });
  expect(refused({ site: "two\nlines" })).toThrow(settings);
  expect(refused({ qrText: "ñ".repeat(101) })).toThrow(/at most 200 bytes/);
  expect(refused({ code: "ABCD-EFGH" })).toThrow(/no device's code/);
  expect(refused({ thing: "a thing" as Label["thing"] })).toThrow(/no label can be made/);
});

test("a code written by hand finds each wrong sign and each two that changed places", () => {
  const code = shortCodeOf("core-17");
  expect(code).toMatch(/^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/);
  expect(ShortCode.parse(` ${code.toLowerCase().replace("-", " ")} `)).toBe(code);
  const symbols = Array.from(code.replace("-", ""));
  for (const [index, symbol] of symbols.entries()) {
    for (const other of "23456789ABCDEFGHJKLMNPQRSTVWXYZ")
      expect(ShortCode.safeParse(symbols.with(index, other).join("")).success).toBe(other === symbol);
    const next = symbols[index + 1];
    if (next === undefined || next === symbol || index === symbols.length - 2) continue;
    const swapped = symbols
      .with(index, next)
      .with(index + 1, symbol)
      .join("");
    expect(ShortCode.safeParse(swapped).success).toBe(false);
  }
  expect(new Set(Array.from({ length: 2000 }, (_, n) => shortCodeOf(`core-${n}`))).size).toBe(2000);
});
