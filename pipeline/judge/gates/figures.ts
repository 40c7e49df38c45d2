import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** One table of the page of figures. A row is known by its first `keys` cells. */
export interface FigureTable {
  readonly title: string;
  readonly keys: number;
  readonly columns: readonly string[];
}

export type Row = readonly (string | number)[];

const HEAD = `# The judge's figures

Written by \`npm run test:long -- pipeline/judge/gates\`, row by row: each is of the last run of its test.
`;

const page = new URL("../../../docs/judge-figures.md", import.meta.url);
const byNumber = new Intl.Collator("en", { numeric: true });

/** Puts rows in the place of those of the same keys, so that the tests can run one at a time. */
export function recordRows(table: FigureTable, rows: readonly Row[]): void {
  writeFileSync(page, withRows(existsSync(page) ? readFileSync(page, "utf8") : "", table, rows));
}

export function withRows(before: string, table: FigureTable, rows: readonly Row[]): string {
  const sections = new Map(
    before
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.split("\n", 1)[0] ?? "", section]),
  );
  const kept = (sections.get(table.title) ?? "").split("\n").filter((text) => text.startsWith("|"));
  const byKey = new Map(
    [...kept.slice(2).map(cells), ...rows.map((row) => row.map(String))].map((row) => [
      row.slice(0, table.keys).join(" | "),
      row,
    ]),
  );
  const sorted = [...byKey].sort(([a], [b]) => byNumber.compare(a, b)).map(([, row]) => row);
  const lines = [table.columns, table.columns.map(() => "---"), ...sorted].map(
    (row) => `| ${row.join(" | ")} |`,
  );
  sections.set(table.title, `${table.title}\n\n${lines.join("\n")}\n`);
  const ordered = [...sections].sort(([a], [b]) => byNumber.compare(a, b));
  return [HEAD, ...ordered.map(([, section]) => `## ${section.trimEnd()}\n`)].join("\n");
}

function cells(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** A share as people read it. */
export function percent(part: number): string {
  return `${Number((100 * part).toFixed(2))} %`;
}
