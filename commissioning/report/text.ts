import type { Fact, ReportPage, Table } from "./page.ts";

/** For a terminal, and for paper without a page. */
export function reportText({ title, subject, result, sections }: ReportPage): string {
  const body = sections.flatMap(({ heading, facts = [], table, paragraphs = [] }) => [
    "",
    heading,
    ...factLines(facts),
    ...(table === undefined ? [] : tableLines(table)),
    ...paragraphs.map((text) => `  ${text}`),
  ]);
  return [`${title}: ${subject}`, result, ...body, ""].join("\n");
}

function factLines(facts: readonly Fact[]): readonly string[] {
  const width = Math.max(0, ...facts.map(({ name }) => name.length));
  return facts.map(({ name, value }) => `  ${name.padEnd(width)}  ${value}`);
}

function tableLines({ columns, rows }: Table): readonly string[] {
  const all = rows.length === 0 ? [] : [columns, ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => (row[index] ?? "").length)));
  return all.map((row) =>
    `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")}`.trimEnd(),
  );
}
