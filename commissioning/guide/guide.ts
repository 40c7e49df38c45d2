import { texts as flowTexts } from "../flow/texts/texts.ts";
import { type StepName, stepNames } from "../flow/screen.ts";
import type { Language } from "../language.ts";
import { escapeHtml } from "../report/escape-html.ts";
import { de } from "./texts/de.ts";
import { en } from "./texts/en.ts";
import { es } from "./texts/es.ts";
import { it } from "./texts/it.ts";
import { pt } from "./texts/pt.ts";
import type { GuideTexts } from "./texts/texts.ts";

const guides: Readonly<Record<Language, GuideTexts>> = { en, es, pt, it, de };
/** So many steps stand on the first sheet, below what to bring along. */
const ON_FIRST_SHEET = 4;

/** As the guide names them, beside itself. */
export const pictureName = (language: Language, step: StepName): string => `pictures/${language}-${step}.png`;
export const guideName = (language: Language): string => `guide-${language}.html`;

const style = `
:root { color-scheme: light; font: 10pt/1.35 system-ui, sans-serif; color: #16202a; background: #fff; }
body { margin: 1rem auto; max-width: 180mm; }
.sheet + .sheet { break-before: page; }
h1 { font-size: 18pt; margin: 0 0 1mm; }
h2 { font-size: 12pt; margin: 3mm 0 1mm; }
p { margin: 0 0 1.5mm; }
ul { margin: 0; padding-left: 1.2em; columns: 2; }
li { break-inside: avoid; }
.steps { display: grid; gap: 4mm 6mm; grid-template-columns: 1fr 1fr; list-style: none; margin: 3mm 0 0; padding: 0; columns: auto; }
.steps li { display: grid; gap: 0 3mm; grid-template-columns: 36mm 1fr; }
.steps img { border: 1px solid #8795a3; border-radius: 2mm; height: 62mm; object-fit: cover; object-position: top; width: 36mm; }
.steps h2 { margin-top: 0; }
.otherwise { border-left: 1mm solid #7a5200; padding-left: 2mm; }
@page { margin: 14mm; size: A4; }
@media print { body { margin: 0; max-width: none; } }
`;

/**
 * The technician's guide: two sheets A4 with pictures of the real pages, to be printed. The steps have the names that the
 * pages give them. Pictures lie beside it, by `pictureName`.
 */
export function guideHtml(language: Language): string {
  const guide = guides[language];
  const { steps } = flowTexts[language];
  const step = (name: StepName): string => `<li value="${stepNames.indexOf(name) + 1}">
<img src="${pictureName(language, name)}" alt="${escapeHtml(steps[name])}">
<div>
<h2>${stepNames.indexOf(name) + 1}. ${escapeHtml(steps[name])}</h2>
<p>${escapeHtml(guide.steps[name].how)}</p>
<p class="otherwise">${escapeHtml(guide.steps[name].otherwise)}</p>
</div>
</li>`;
  const list = (rows: readonly string[]): string =>
    `<ul>\n${rows.map((row) => `<li>${escapeHtml(row)}</li>`).join("\n")}\n</ul>`;
  const stepList = (names: readonly StepName[]): string =>
    `<ol class="steps">\n${names.map(step).join("\n")}\n</ol>`;
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(guide.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<section class="sheet">
<h1>${escapeHtml(guide.title)}</h1>
<p>${escapeHtml(guide.what)}</p>
<h2>${escapeHtml(guide.needed)}</h2>
${list(guide.needs)}
<p>${escapeHtml(guide.begin)}</p>
${stepList(stepNames.slice(0, ON_FIRST_SHEET))}
</section>
<section class="sheet">
${stepList(stepNames.slice(ON_FIRST_SHEET))}
<h2>${escapeHtml(guide.always)}</h2>
${list(guide.facts)}
</section>
</main>
</body>
</html>
`;
}
