import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** One table of the page of figures. A row is known by its first `keys` cells. */
export interface FigureTable {
  readonly title: string;
  readonly keys: number;
  readonly columns: readonly string[];
}

export type Row = readonly (string | number)[];

/** A page of tables, with what stands above them. */
export interface FigurePage {
  readonly file: URL;
  readonly head: string;
}

const judgeFigures: FigurePage = {
  file: new URL("../../../docs/judge-figures.md", import.meta.url),
  head: `# The judge's figures

Written by \`npm run test:long -- pipeline/judge/gates\`, row by row: each is of the last run of its test.
`,
};

/** Puts rows in the place of those of the same keys, so that the tests can run one at a time. */
export function recordRows(table: FigureTable, rows: readonly Row[], { file, head } = judgeFigures): void {
  writeFileSync(file, withRows(existsSync(file) ? readFileSync(file, "utf8") : "", table, rows, head));
}

export function withRows(
  before: string,
  table: FigureTable,
  rows: readonly Row[],
  head = judgeFigures.head,
): string {
  const sections = new Map(
    before
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.split("\n", 1)[0] ?? "", section]),
  );
  const kept = (sections.get(table.title) ?? "").split("\n").filter((text) => text.startsWith("|"));
  const all = [...kept.slice(2).map(cells), ...rows.map((row) => row.map(String))];
  const byKey = new Map(all.map((row) => [row.slice(0, table.keys).join(" | "), row]));
  const sorted = [...byKey.values()].sort((a, b) => compare(a, b, table.keys));
  const lines = [table.columns, table.columns.map(() => "---"), ...sorted].map(
    (row) => `| ${row.join(" | ")} |`,
  );
  sections.set(table.title, `${table.title}\n\n${lines.join("\n")}\n`);
  const ordered = [...sections].sort(([a], [b]) => compare([a], [b], 1));
  return [head, ...ordered.map(([, section]) => `## ${section.trimEnd()}\n`)].join("\n");
}

/** By one key after the other: as numbers where both begin with one, else as text. */
function compare(a: readonly string[], b: readonly string[], keys: number): number {
  for (let key = 0; key < keys; key++) {
    const [one = "", other = ""] = [a[key], b[key]];
    const difference = Number.parseFloat(one) - Number.parseFloat(other);
    const order = Number.isNaN(difference) ? (one < other ? -1 : one > other ? 1 : 0) : difference;
    if (order !== 0) return order;
  }
  return 0;
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
