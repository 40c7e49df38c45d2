import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { extractText, getDocumentProxy } from "unpdf";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";
import { writePdf } from "../pdf/document.ts";
import { isShown } from "../pdf/win-ansi.ts";
import { canonicalJson, sha256 } from "./canonical-json.ts";
import { reportHtml } from "./html.ts";
import { reportPage } from "./page.ts";
import { madeReport, port, visit } from "./report.fixture.ts";
import { reportPdf } from "./report-pdf.ts";
import { sealOf } from "./seal.ts";
import { reportText } from "./text.ts";
import { Language } from "../language.ts";
import { verifyReport } from "./verify.ts";
import { Visit } from "./visit.ts";

const HTML_BYTES_MAX = 60_000;
let authority: CertificateAuthority;
let made: ReturnType<typeof madeReport>;
beforeAll(async () => {
  authority = await CertificateAuthority.open({ random: systemRandom, wallClock: systemClock });
  made = madeReport(authority.keysAndCertificate());
});

/** Numbers in each language's own writing. */
const measured = {
  en: [
    "0.003125 Pa",
    "-0.0125 Pa",
    "0.0075 Pa/min",
    "24.53 °C",
    "max. 0.01 Pa",
    "1.3 s behind the server",
    "2%",
  ],
  es: ["0,003125 Pa", "-0,0125 Pa", "0,0075 Pa/min", "24,53 °C", "máx. 0,01 Pa", "1,3 s atrasado", "2 %"],
  pt: ["0,003125 Pa", "-0,0125 Pa", "0,0075 Pa/min", "24,53 °C", "máx. 0,01 Pa", "1,3 s atrasado", "2%"],
  it: ["0,003125 Pa", "-0,0125 Pa", "0,0075 Pa/min", "24,53 °C", "max. 0,01 Pa", "1,3 s indietro", "2%"],
  de: ["0,003125 Pa", "-0,0125 Pa", "0,0075 Pa/min", "24,53 °C", "max. 0,01 Pa", "1,3 s nach", "2 %"],
} as const;
const common = [
  "core-17",
  "ward-7",
  "Sala 12",
  "A-0815",
  "eu-south-1",
  "rheo-1",
  "2.4.1",
  "DKD-4711",
  "24.21.0",
];

/** Blanks of any kind and width count for one, or for none. */
function dense(text: string): string {
  return text.replaceAll(/\s+/g, "");
}

/** Every element that is opened is closed, in order. */
function openElements(html: string): readonly string[] {
  const open: string[] = [];
  for (const [, slash, name = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^<>]*>/g)) {
    if (["meta"].includes(name)) continue;
    if (slash === "") open.push(name);
    else expect(open.pop()).toBe(name);
  }
  return open;
}

describe.each(Language.options)("in %s", (language) => {
  test("page, PDF and text hold who, where, when, every value, what was left out, and the hash", async () => {
    const { report, seal } = made;
    const html = reportHtml(report, seal, language);
    const document = await getDocumentProxy(new TextEncoder().encode(reportPdf(report, seal, language)));
    const pdf = await extractText(document, { mergePages: true });
    const text = reportText(reportPage(report, seal, language));
    const wanted = [...common, ...measured[language], seal.sha256, report.certificateId, "21:06:00", "cal-9"];
    for (const each of wanted)
      for (const form of [html, pdf.text, text]) expect(dense(form)).toContain(dense(each));
    for (const form of [pdf.text, text]) expect(dense(form)).toContain(dense("«lista» </script>"));
    expect(html).toContain("Łucía &lt;Müller&gt;");
    expect(dense(pdf.text)).toContain(dense("Lucía <Müller>"));
    expect(text).toContain("Łucía <Müller>");
  });

  test("the page is whole, says its language, and names rows and columns", () => {
    const html = reportHtml(made.report, made.seal, language);
    expect(openElements(html.replace("<!doctype html>", ""))).toEqual([]);
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toMatch(/<title>[^<]+: core-17<\/title>/);
    const tables = html.match(/<table>/g)?.length ?? 0;
    expect(tables).toBe(4);
    expect(html.match(/<thead><tr><th scope="col">/g)).toHaveLength(tables);
    expect(html).toContain('<th scope="row">');
    expect(html).not.toMatch(/\b(?:src|href)=|https?:\/\//);
    expect(Buffer.byteLength(html)).toBeLessThan(HTML_BYTES_MAX);
  });

  test("every text of the PDF can be shown by its fonts", () => {
    const { report, seal } = made;
    const plain = { ...report, technician: "Lucía" };
    const page = reportPage(plain, sealOf(canonicalJson(plain)), language);
    const { sections, texts, ...rest } = page;
    expect(isShown(canonicalJson([sections, rest, texts.facts, texts.columns, texts.page(1, 2)]))).toBe(true);
    expect(isShown(texts.lettersReplaced)).toBe(true);
    expect(JSON.stringify(reportPage(report, seal, language))).not.toContain("undefined");
  });

  test("the same data is the same bytes", () => {
    const { report, seal } = made;
    expect(reportPdf(report, seal, language)).toBe(reportPdf(structuredClone(report), seal, language));
    expect(reportHtml(report, seal, language)).toBe(reportHtml(structuredClone(report), seal, language));
  });
});

test("what was not part of the run is told, and what nobody said is not there", () => {
  const { report, seal } = madeReport(authority.keysAndCertificate(), {
    visit: Visit.parse({}),
    versions: {},
    calibration: { atMs: 0, records: [] },
  });
  expect(canonicalJson(report)).not.toContain("technician");
  expect(report.steps.find(({ step }) => step === "network")).toEqual({
    step: "network",
    outcome: "left",
    because: "not-part-of-this-run",
  });
  expect(reportHtml(report, seal, "en")).toContain("Not part of this run.");
});

test("a device without a network waits for three steps, and its report is whole but for them", () => {
  const entries = { version: 1 as const, serial: "core-17", site: "ward-7", startedMs: 0 };
  const { report, seal } = madeReport(authority.keysAndCertificate(), {
    entries: { ...entries, selfTest: { at: 1000, ports: [port] } },
  });
  const waiting = report.steps.filter((step) => step.outcome === "left" && step.because === "no-network");
  expect(waiting.map(({ step }) => step)).toEqual(["clock", "identity", "configuration"]);
  const text = reportText(reportPage(report, sealOf(canonicalJson(report)), "en"));
  for (const shown of ["PASSED", "Identity pending", "Not measured", "Not signed"])
    expect(text).toContain(shown);
  expect(verifyReport(canonicalJson(report), canonicalJson(seal)).genuine).toBe(false);
});

test("each check of the network says what was found, where, and what to ask for", () => {
  const checks = [
    { check: "8883/tcp", target: "iot.example", passed: true, tookMs: 12.34 },
    { check: "DNS", target: "s3.example", passed: false, sentence: "Ask IT for the name <s3.example>." },
  ];
  const { report, seal } = madeReport(authority.keysAndCertificate(), {
    network: { atMs: Date.UTC(2026, 10, 27, 20, 2), checks },
  });
  expect(report.steps[1]).toEqual({ step: "network", outcome: "done", at: "2026-11-27T20:02:00.000Z" });
  const text = reportText(reportPage(report, seal, "it"));
  for (const shown of ["8883/tcp", "12,34 ms", "NON SUPERATO", "Ask IT for the name <s3.example>."])
    expect(text).toContain(shown);
  expect(reportHtml(report, seal, "it")).toContain("Ask IT for the name &lt;s3.example&gt;.");
});

test("an instrument that failed says so, and the whole has failed", () => {
  const { report, seal } = made;
  const failed = { ...port, passed: false, sentence: "The noise is 1 Pa: check shield and ground." };
  const page = reportHtml(
    {
      ...report,
      passed: false,
      ports: report.ports.map((each) => ({ ...each, passed: false, sentence: failed.sentence })),
    },
    seal,
    "de",
  );
  expect(page).toContain("NICHT BESTANDEN");
  expect(page).toContain("check shield and ground");
});

test("many instruments fill many sheets, each with the hash and the table's head", async () => {
  const { report } = made;
  const [first] = report.ports;
  if (first === undefined) throw new Error("the fixture has an instrument");
  const many = { ...report, ports: Array.from({ length: 40 }, (_, n) => ({ ...first, port: `port-${n}` })) };
  const seal = sealOf(canonicalJson(many));
  const document = await getDocumentProxy(new TextEncoder().encode(reportPdf(many, seal, "en")));
  const { text, totalPages } = await extractText(document);
  expect(totalPages).toBeGreaterThan(4);
  for (const [index, page] of text.entries()) {
    expect(page).toContain(seal.sha256);
    expect(page).toContain(`Page ${index + 1} of ${totalPages}`);
  }
  expect(text[2]).toContain("Quantity");
});

describe("a report is verified", () => {
  test("as data with its seal, as page, and as PDF", () => {
    const { report, seal } = made;
    const json = canonicalJson(report);
    const genuine = { genuine: true, sha256: sha256(json), signer: report.certificateId };
    expect(verifyReport(json, canonicalJson(seal))).toEqual(genuine);
    for (const language of Language.options) {
      expect(verifyReport(reportHtml(report, seal, language))).toEqual(genuine);
      expect(verifyReport(reportPdf(report, seal, language))).toEqual(genuine);
    }
    const unsigned = sealOf(json);
    expect(verifyReport(json, canonicalJson(unsigned))).toEqual({ ...genuine, signer: undefined });
  });

  test("a changed character is found wherever it stands", () => {
    const { report, seal } = made;
    const changed = (text: string, at: number) =>
      `${text.slice(0, at)}${text[at] === "0" ? "1" : "0"}${text.slice(at + 1)}`;
    const [json, sealed] = [canonicalJson(report), canonicalJson(seal)];
    for (let at = 0; at < json.length; at += 3)
      expect(verifyReport(changed(json, at), sealed).genuine, json.slice(0, at)).toBe(false);
    for (let at = 0; at < sealed.length; at += 7)
      expect(verifyReport(json, changed(sealed, at)).genuine, sealed.slice(0, at)).toBe(false);
    for (const text of [reportHtml(report, seal, "it"), reportPdf(report, seal, "it")])
      for (let at = 0; at < text.length; at += 499)
        expect(verifyReport(changed(text, at)).genuine, text.slice(0, at)).toBe(false);
  });

  test("what is no report of ours, and a seal of another device, are told apart", () => {
    const { report } = made;
    const json = canonicalJson(report);
    const told = (text: string, sealText?: string) => {
      const verdict = verifyReport(text, sealText);
      return verdict.genuine ? "genuine" : verdict.sentence;
    };
    expect(told(json)).toMatch(/no seal/);
    expect(told("<!doctype html><p>other")).toMatch(/no report/);
    const otherPdf = writePdf({ title: "", language: "en", createdAt: report.finishedAt, pages: [] });
    expect(told(otherPdf)).toMatch(/no report/);
    expect(told("{}", canonicalJson(made.seal))).toMatch(/another release/);
    const other = authority.keysAndCertificate();
    expect(told(json, canonicalJson(sealOf(json, other)))).toMatch(/signature is not that of the device/);
  });
});

test("canonical JSON is that of RFC 8785's example", () => {
  const value: unknown = JSON.parse(
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  );
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
  expect(
    canonicalJson({ "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 }),
  ).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  expect(canonicalJson({ a: undefined })).toBe("{}");
  for (const wrong of [Number.NaN, "\ud83d", 1n, undefined]) expect(() => canonicalJson([wrong])).toThrow();
});

test("what a person says of the visit is looked at where it comes in", () => {
  const refused = (changes: object) => !Visit.safeParse({ ...visit, ...changes }).success;
  expect([
    refused({ timeZone: "Mars/Olympus" }),
    refused({ technician: "two\nlines" }),
    refused({ language: "fr" }),
    refused({ consoleUrl: "javascript:alert(1)" }),
    refused({}),
  ]).toEqual([true, true, true, true, false]);
});
