import { canonicalJson } from "./canonical-json.ts";
import { escapeHtml } from "./escape-html.ts";
import { type Fact, reportPage, type Table } from "./page.ts";
import type { Report } from "./report.ts";
import { Seal } from "./seal.ts";
import type { Language } from "../language.ts";

const style = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; break-after: avoid; }
.result { border: 2px solid; border-radius: .3rem; display: inline-block; font-weight: bold; padding: .2rem .8rem; }
dl { display: grid; gap: .15rem 1rem; grid-template-columns: minmax(8rem, 30%) 1fr; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8888; overflow-wrap: break-word; padding: .25rem .5rem .25rem 0; text-align: start; vertical-align: top; }
tr { break-inside: avoid; }
code { font: .9em ui-monospace, monospace; }
.line { border-bottom: 1px solid; display: inline-block; margin-top: 3rem; min-width: 20rem; }
@media print { :root { color-scheme: light; font-size: 10pt; } body { margin: 0; max-width: none; } }
@page { margin: 18mm; size: A4; }
`;

/** One file that needs no other, and no network; it carries the report's data, so that it can be verified alone. */
export function reportHtml(report: Report, seal: Seal, language: Language): string {
  const page = reportPage(report, seal, language);
  const { title, subject, passed, result, sections, texts } = page;
  const body = sections.map(
    ({ heading, facts = [], table, paragraphs = [] }) => `<section>
<h2>${escapeHtml(heading)}</h2>
${facts.length === 0 ? "" : list(facts)}${table === undefined || table.rows.length === 0 ? "" : tableHtml(table, heading)}${paragraphs.map((text) => `<p>${escapeHtml(text)}</p>\n`).join("")}</section>`,
  );
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(`${title}: ${subject}`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(subject)}</p>
<p class="result">${passed ? "✓" : "✗"} ${escapeHtml(result)}</p>
${body.join("\n")}
<p><span class="line">${escapeHtml(texts.facts.byHand)}</span></p>
</main>
<script type="application/json" id="report">${inScript(report)}</script>
<script type="application/json" id="seal">${inScript(seal)}</script>
</body>
</html>
`;
}

/** The data that a page of ours carries, as texts; undefined where it carries none. */
export function dataOfHtml(html: string): { report: string; seal: string; language: string } | undefined {
  const inside = (id: string): string | undefined =>
    new RegExp(`<script type="application/json" id="${id}"[^>]*>([^<]*)</script>`).exec(html)?.[1];
  const [report, seal, language] = [inside("report"), inside("seal"), /<html lang="(\w+)">/.exec(html)?.[1]];
  if (report === undefined || seal === undefined || language === undefined) return undefined;
  return { report, seal, language };
}

/** No text ends the element that it stands in. */
function inScript(data: Report | Seal): string {
  return canonicalJson(data).replaceAll("<", "\\u003c");
}

function list(facts: readonly Fact[]): string {
  const rows = facts.map(({ name, value, isCode }) => {
    const text = escapeHtml(value);
    return `<dt>${escapeHtml(name)}</dt><dd>${isCode === true ? `<code>${text}</code>` : text}</dd>`;
  });
  return `<dl>\n${rows.join("\n")}\n</dl>\n`;
}

/** The first cell of a row is what the row is about. */
function tableHtml({ columns, rows }: Table, name: string): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join("");
  const body = rows.map(
    ([first = "", ...others]) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${others.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  return `<div class="wide" tabindex="0" role="region" aria-label="${escapeHtml(name)}"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table></div>
`;
}
