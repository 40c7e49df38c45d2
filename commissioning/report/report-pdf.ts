import { Canvas } from "../pdf/canvas.ts";
import { readPdfFile, writePdf } from "../pdf/document.ts";
import { type Font, textWidth } from "../pdf/text-width.ts";
import { isShown } from "../pdf/win-ansi.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type Fact, type ReportPage, reportPage, type Table } from "./page.ts";
import type { Report } from "./report.ts";
import type { Seal } from "./seal.ts";
import type { Language } from "../language.ts";

/** A4, in points. */
const PAGE_PT = { width: 595, height: 842, margin: 50, bottom: 780 } as const;
const INNER_PT = PAGE_PT.width - 2 * PAGE_PT.margin;
const TEXT_PT = 9;
const LINE_PT = 12;
const NAMES_PT = 150;
const GAP_PT = 6;
const attachments = { report: "report.json", seal: "report.seal.json" } as const;

/** The report on paper's pages, each with the hash; it carries the report's data, so that it can be verified alone. */
export function reportPdf(report: Report, seal: Seal, language: Language): string {
  const page = reportPage(report, seal, language);
  const sheets = new Sheets();
  const { title, subject, result, sections, texts } = page;
  sheets.line(title, { font: "Helvetica-Bold", sizePt: 18, linePt: 24 });
  sheets.line(subject, { font: "Helvetica", sizePt: 12, linePt: 18 });
  sheets.line(result, { font: "Helvetica-Bold", sizePt: 12, linePt: 18 });
  for (const { heading, facts = [], table, paragraphs = [] } of sections) {
    sheets.heading(heading);
    for (const fact of facts) sheets.fact(fact);
    if (table !== undefined && table.rows.length > 0) sheets.table(table);
    for (const text of paragraphs) sheets.paragraph(text);
  }
  const data = canonicalJson(report);
  if (!isShown(data)) sheets.paragraph(texts.lettersReplaced);
  sheets.lineForPen(texts.facts.byHand);
  return writePdf({
    title: `${title}: ${subject}`,
    language,
    createdAt: report.finishedAt,
    pages: sheets.finished(page),
    files: [
      { name: attachments.report, text: data },
      { name: attachments.seal, text: canonicalJson(seal) },
    ],
  });
}

/** The data that a document of ours carries, as texts; undefined where it carries none. */
export function dataOfPdf(pdf: string): { report: string; seal: string; language: string } | undefined {
  const report = readPdfFile(pdf, attachments.report);
  const seal = readPdfFile(pdf, attachments.seal);
  const language = /\/Lang \((\w+)\)/.exec(pdf)?.[1];
  if (report === undefined || seal === undefined || language === undefined) return undefined;
  return { report, seal, language };
}

interface Lettering {
  readonly font: Font;
  readonly sizePt: number;
}
const normal: Lettering = { font: "Helvetica", sizePt: TEXT_PT };
const bold: Lettering = { font: "Helvetica-Bold", sizePt: TEXT_PT };
const code: Lettering = { font: "Courier", sizePt: 8 };

/** Fills sheet after sheet from the top. */
class Sheets {
  #sheet = new Canvas(PAGE_PT.width, PAGE_PT.height);
  readonly #sheets: Canvas[] = [this.#sheet];
  #yPt: number = PAGE_PT.margin;

  line(text: string, { linePt, ...lettering }: Lettering & { linePt: number }): void {
    for (const line of wrapped(text, INNER_PT, lettering))
      this.#row([{ lines: [line], xPt: 0, ...lettering }], linePt);
  }

  heading(text: string): void {
    // Never alone at the end of a sheet.
    this.#room(5 * LINE_PT);
    this.#yPt += LINE_PT / 2;
    this.line(text, { font: "Helvetica-Bold", sizePt: 11, linePt: 16 });
  }

  fact({ name, value, isCode }: Fact): void {
    const lettering = isCode === true ? code : normal;
    this.#row([
      { lines: wrapped(name, NAMES_PT - GAP_PT, normal), xPt: 0, ...normal },
      { lines: wrapped(value, INNER_PT - NAMES_PT, lettering), xPt: NAMES_PT, ...lettering },
    ]);
  }

  paragraph(text: string): void {
    for (const line of wrapped(text, INNER_PT, normal)) this.#row([{ lines: [line], xPt: 0, ...normal }]);
  }

  table({ columns, widths, rows }: Table): void {
    const cells = (row: readonly string[], lettering: Lettering): Cell[] => {
      let xPt = 0;
      return row.map((text, index) => {
        const widthPt = (widths[index] ?? 0) * INNER_PT;
        const cell = { lines: wrapped(text, widthPt - GAP_PT, lettering), xPt, ...lettering };
        xPt += widthPt;
        return cell;
      });
    };
    const head = cells(columns, bold);
    this.#row(head);
    for (const row of rows) {
      const body = cells(row, normal);
      if (this.#room(heightOf(body))) this.#row(head);
      this.#rule(0.8);
      this.#row(body);
    }
  }

  lineForPen(text: string): void {
    this.#room(5 * LINE_PT);
    this.#yPt += 3 * LINE_PT;
    this.#rule(0);
    this.paragraph(text);
  }

  /** With their feet: the hash, and which page of how many. */
  finished({ hash, texts }: ReportPage): readonly Canvas[] {
    const count = this.#sheets.length;
    for (const [index, sheet] of this.#sheets.entries()) {
      const yPt = PAGE_PT.bottom + 2 * LINE_PT;
      sheet.text(`SHA-256 ${hash}`, { xPt: PAGE_PT.margin, yPt, font: "Courier", sizePt: 7 });
      const number = texts.page(index + 1, count);
      const xPt = PAGE_PT.width - PAGE_PT.margin - textWidth(number, "Helvetica") * 8;
      sheet.text(number, { xPt, yPt, font: "Helvetica", sizePt: 8 });
    }
    return this.#sheets;
  }

  #row(cells: readonly Cell[], linePt = LINE_PT): void {
    this.#room(heightOf(cells, linePt));
    for (const { lines, xPt, font, sizePt } of cells)
      for (const [index, line] of lines.entries())
        this.#sheet.text(line, {
          xPt: PAGE_PT.margin + xPt,
          yPt: this.#yPt + (index + 0.75) * linePt,
          font,
          sizePt,
        });
    this.#yPt += heightOf(cells, linePt);
  }

  #rule(grey: number): void {
    this.#sheet.rectangle({ xPt: PAGE_PT.margin, yPt: this.#yPt, widthPt: INNER_PT, heightPt: 0.5, grey });
  }

  /** True where a new sheet was begun. */
  #room(heightPt: number): boolean {
    if (this.#yPt + heightPt <= PAGE_PT.bottom || this.#yPt === PAGE_PT.margin) return false;
    this.#sheet = new Canvas(PAGE_PT.width, PAGE_PT.height);
    this.#sheets.push(this.#sheet);
    this.#yPt = PAGE_PT.margin;
    return true;
  }
}

interface Cell extends Lettering {
  readonly lines: readonly string[];
  readonly xPt: number;
}

function heightOf(cells: readonly Cell[], linePt = LINE_PT): number {
  return linePt * Math.max(1, ...cells.map(({ lines }) => lines.length));
}

/** Broken between words, and within a word that is wider than a line. */
function wrapped(text: string, widthPt: number, { font, sizePt }: Lettering): readonly string[] {
  const fits = (line: string): boolean => textWidth(line, font) * sizePt <= widthPt;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && fits(`${line} ${word}`)) {
      line = `${line} ${word}`;
      continue;
    }
    if (line !== "") lines.push(line);
    line = "";
    for (const character of word) {
      if (line !== "" && !fits(line + character)) {
        lines.push(line);
        line = "";
      }
      line += character;
    }
  }
  return [...lines, line];
}
