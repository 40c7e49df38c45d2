import { extractText, getDocumentProxy } from "unpdf";
import { expect, test } from "vitest";
import { Canvas } from "./canvas.ts";
import { readPdfFile, writePdf } from "./document.ts";
import { textWidth } from "./text-width.ts";
import { isShown, winAnsi } from "./win-ansi.ts";

const text = "Prüfung (1) \\ – 25 °C, ñãçß € “ok”";

function example(): string {
  const page = new Canvas(595, 842);
  page.rectangle({ xPt: 40, yPt: 40, widthPt: 100, heightPt: 1, grey: 0.5 });
  page.text(text, { xPt: 40, yPt: 60, font: "Helvetica", sizePt: 10 });
  const second = new Canvas(200, 100);
  second.text("0123abcd", { xPt: 10, yPt: 20, font: "Courier", sizePt: 8 });
  return writePdf({
    title: "Straße",
    language: "de",
    createdAt: "2026-11-27T21:00:05.000Z",
    pages: [page, second],
    files: [{ name: "data.json", text: '{"a":"Łódź"}' }],
  });
}

test("another program reads its text, its title and its file", async () => {
  const pdf = await getDocumentProxy(new TextEncoder().encode(example()));
  expect((await extractText(pdf)).text).toEqual([text, "0123abcd"]);
  expect((await pdf.getMetadata()).info).toMatchObject({
    Title: "Straße",
    Language: "de",
    CreationDate: "D:20261127210005Z",
    PDFFormatVersion: "1.4",
  });
  const attachments = (await pdf.getAttachments()) as Record<string, { content: Uint8Array }>;
  expect(Buffer.from(attachments["data.json"]?.content ?? []).toString()).toBe('{"a":"Łódź"}');
  expect(readPdfFile(example(), "data.json")).toBe('{"a":"Łódź"}');
  expect(readPdfFile(example(), "other.json")).toBeUndefined();
});

test("every object stands where the table says, every stream is as long as it says, and all is ASCII", () => {
  const pdf = example();
  expect(pdf).toMatch(/^[\n\x20-\x7e]*$/);
  const rows = [...pdf.matchAll(/^(\d{10}) 00000 n $/gm)].map(([, offset]) => Number(offset));
  expect(rows.length).toBeGreaterThan(8);
  for (const [index, offset] of rows.entries())
    expect(pdf.slice(offset).startsWith(`${index + 1} 0 obj\n`)).toBe(true);
  const table = Number(/startxref\n(\d+)/.exec(pdf)?.[1]);
  expect(pdf.slice(table).startsWith("xref\n")).toBe(true);
  const streams = [...pdf.matchAll(/\/Length (\d+)[^]*?stream\n([^]*?)endstream/g)];
  expect(streams).toHaveLength(3);
  for (const [, length, body = ""] of streams) expect(body).toHaveLength(Number(length));
  expect(example()).toBe(pdf);
});

test("a letter that the fonts lack is shown as its base letter, and that is known", () => {
  const shown = (written: string) => Buffer.from(winAnsi(written)).toString("latin1");
  expect(shown("Łukasz Dvořák 李")).toBe("Lukasz Dvorák ?");
  expect(["Łukasz", "Dvořák", "李"].map(isShown)).toEqual([false, false, false]);
  expect(["Müller", "3\u202f000 €", "−5 °C", "e\u0301"].map(isShown)).toEqual([true, true, true, true]);
});

test("widths are those of the fonts", () => {
  expect(textWidth("Wi", "Helvetica")).toBeCloseTo(0.944 + 0.222);
  expect(textWidth("ñ€", "Helvetica-Bold")).toBeCloseTo(0.611 + 0.556);
  expect(textWidth("iW", "Courier")).toBeCloseTo(1.2);
});
