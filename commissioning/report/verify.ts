import { canonicalJson, sha256 } from "./canonical-json.ts";
import { dataOfHtml, reportHtml } from "./html.ts";
import { Report } from "./report.ts";
import { dataOfPdf, reportPdf } from "./report-pdf.ts";
import { Seal, signerOf } from "./seal.ts";
import { Language } from "../language.ts";
import { parsedJson } from "../parsed-json.ts";

export type Verdict =
  | {
      readonly genuine: true;
      readonly sha256: string;
      /** Id of the certificate whose key signed it: whether that is the device's, AWS IoT knows. Undefined where nobody did. */
      readonly signer: string | undefined;
    }
  | { readonly genuine: false; readonly sentence: string };

/**
 * Looks whether a report is as it was written: `report.json` with its seal beside it, or a page or PDF, which carry both
 * and are made anew from them and compared. A changed byte is found wherever it stands.
 */
export function verifyReport(text: string, sealText?: string): Verdict {
  const [carried, again] = text.startsWith("%PDF-")
    ? [dataOfPdf(text), reportPdf]
    : text.startsWith("<!doctype html>")
      ? [dataOfHtml(text), reportHtml]
      : [
          sealText === undefined ? undefined : { report: text, seal: sealText, language: undefined },
          undefined,
        ];
  if (carried === undefined)
    return notGenuine("it carries no report and no seal; give the report as it was written, with its seal");
  const report = Report.safeParse(parsedJson(carried.report));
  const seal = Seal.safeParse(parsedJson(carried.seal));
  if (!report.success || !seal.success)
    return notGenuine("its data cannot be read: it was changed, or written by another release");

  const data = again === undefined ? text : canonicalJson(report.data);
  const hash = sha256(data);
  const signer = signerOf(data, seal.data);
  if (hash !== seal.data.sha256)
    return notGenuine(
      signer !== undefined && signer === report.data.certificateId
        ? `the hash in its seal was changed: it is ${seal.data.sha256}, and the device signed what has ${hash}`
        : `its data has the SHA-256 ${hash}, the seal is of ${seal.data.sha256}: it was changed`,
    );
  if (seal.data.signature !== undefined && signer !== report.data.certificateId)
    return notGenuine("its signature is not that of the device whose certificate it names");
  if (again === undefined) return { genuine: true, sha256: hash, signer };

  const language = Language.safeParse(carried.language);
  const expected = language.success ? again(report.data, seal.data, language.data) : "";
  if (text !== expected)
    return notGenuine(
      `its data is as it was written, but from character ${firstDifference(text, expected)} on it is not what this program makes of the data: it was changed, or made by another release`,
    );
  return { genuine: true, sha256: hash, signer };
}

function notGenuine(sentence: string): Verdict {
  return { genuine: false, sentence };
}

function firstDifference(a: string, b: string): number {
  let index = 0;
  while (index < a.length && a[index] === b[index]) index++;
  return index + 1;
}
