import { escapeXml } from "../../../cloud/protocol/xml.ts";

/** Text of a page, or of an attribute in quotes. */
export const text = escapeXml;

export interface Column {
  readonly head: string;
  readonly isNumber?: boolean;
}

/** Cells are markup already. What is wider than the page can be moved by keyboard. */
export function table(
  name: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const kind = (index: number): string => (columns[index]?.isNumber === true ? ' class="number"' : "");
  return `<div class="wide" tabindex="0" role="region" aria-label="${text(name)}"><table>
<thead><tr>${columns.map(({ head }, index) => `<th scope="col"${kind(index)}>${text(head)}</th>`).join("")}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map((cell, index) => `<td${kind(index)}>${cell}</td>`).join("")}</tr>`).join("\n")}</tbody>
</table></div>`;
}

export function mark(ok: boolean): string {
  return ok ? '<span class="mark">✓ holds</span>' : '<span class="mark bad">✗ fails</span>';
}

/** Since the scenario's beginning, as `1:05` of hours and minutes. */
export function since(fromMs: number, atMs: number): string {
  const minutes = Math.round((atMs - fromMs) / 60_000);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** Three digits, without an exponent. */
export function told(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return size === 0 ? "0" : String(Number(value.toPrecision(3)));
}
