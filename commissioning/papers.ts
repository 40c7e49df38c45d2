import { writeFile } from "node:fs/promises";
import { type DurableFiles, modes, readIfThere } from "./durable-files.ts";
import { labelPdf } from "./label/label-pdf.ts";
import { labelPng } from "./label/label-png.ts";
import { type Label, makeLabel } from "./label/label.ts";
import { shortCodeOf } from "./label/short-code.ts";
import { labelSvg } from "./label/svg.ts";
import { labelZpl } from "./label/zpl.ts";
import type { Places } from "./places.ts";
import { CommissioningRefused } from "./refusal.ts";
import { canonicalJson, sha256 } from "./report/canonical-json.ts";
import { reportHtml } from "./report/html.ts";
import { reportPage } from "./report/page.ts";
import { reportPdf } from "./report/report-pdf.ts";
import { Report } from "./report/report.ts";
import { type Seal, sealOf } from "./report/seal.ts";
import { reportText } from "./report/text.ts";
import { texts } from "./report/texts/texts.ts";
import type { Visit } from "./report/visit.ts";

export interface Papers {
  readonly report: Report;
  /** Of `report.json`. */
  readonly sha256: string;
  readonly reportFiles: readonly string[];
}

/** Writes the report in all its forms, its seal, and the label. */
export async function writePapers(
  places: Places,
  report: Report,
  visit: Visit,
  disk: Pick<DurableFiles, "write">,
): Promise<Papers> {
  const { language } = visit;
  const json = canonicalJson(report);
  const seal = await sealed(places, json);
  const label = labelOf(report, visit);
  const captions = texts[language].label;
  const files: readonly (readonly [path: string, text: string])[] = [
    [places.reportText, reportText(reportPage(report, seal, language))],
    [places.reportHtml, reportHtml(report, seal, language)],
    [places.reportPdf, reportPdf(report, seal, language)],
    [places.label.svg, labelSvg(label, captions)],
    [places.label.pdf, labelPdf(label, captions, { language, createdAt: report.finishedAt })],
    [places.label.zpl203, labelZpl(label, captions, 203)],
    [places.label.zpl300, labelZpl(label, captions, 300)],
    [places.reportSeal, canonicalJson(seal)],
    [places.reportJson, json],
  ];
  for (const [path, text] of files) await disk.write(path, text, modes.report);
  // A half picture is written anew with all the others: that they are done is written down after them.
  await writeFile(places.label.png, labelPng(label, captions, 203), { mode: modes.report, flush: true });
  return { report, sha256: seal.sha256, reportFiles: reportFilesOf(places) };
}

/** What an earlier run left as its result; nothing where that was another release, whose report is then made anew. */
export async function readPapers(places: Places, expected: string | undefined): Promise<Papers | undefined> {
  const json = await readIfThere(places.reportJson);
  if (expected === undefined || json === undefined) return undefined;
  const found = sha256(json);
  if (found !== expected)
    throw new CommissioningRefused(
      "settings",
      `${places.reportJson} is not the report that was written (SHA-256 ${found}, the journal has ${expected}); put the report back, or remove it and commission again`,
    );
  const read = Report.safeParse(JSON.parse(json));
  if (!read.success) return undefined;
  return { report: read.data, sha256: expected, reportFiles: reportFilesOf(places) };
}

function reportFilesOf(places: Places): readonly string[] {
  return [places.reportJson, places.reportText, places.reportHtml, places.reportPdf];
}

/** Signed by the device where it has an identity of its own. */
async function sealed(places: Places, json: string): Promise<Seal> {
  const [privateKeyPem, certificatePem] = await Promise.all(
    [places.privateKey, places.certificate].map(readIfThere),
  );
  return privateKeyPem === undefined || certificatePem === undefined
    ? sealOf(json)
    : sealOf(json, { privateKeyPem, certificatePem });
}

function labelOf({ thing, site }: Report, { room, asset, consoleUrl }: Visit): Label {
  return makeLabel({
    thing,
    serial: thing,
    site,
    ...(room === undefined ? {} : { room }),
    ...(asset === undefined ? {} : { asset }),
    code: shortCodeOf(thing),
    qrText:
      consoleUrl === undefined ? `coalmine:${thing}` : `${consoleUrl.replace(/\/$/, "")}/devices/${thing}`,
  });
}
