import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CertificateAuthority } from "../simulator/cloud/identity/certificate-authority.ts";
import { durableFiles, modes, writeDurably } from "./durable-files.ts";
import { readPapers, writePapers } from "./papers.ts";
import { type Places, placesOf } from "./places.ts";
import { canonicalJson, sha256 } from "./report/canonical-json.ts";
import { madeReport, options, visit } from "./report/report.fixture.ts";
import { verifyReport } from "./report/verify.ts";

let root: string;
let places: Places;
let device: { readonly privateKeyPem: string; readonly certificatePem: string };
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cm-papers-"));
  places = placesOf({ ...options, root });
  const authority = await CertificateAuthority.open({ random: systemRandom, wallClock: systemClock });
  device = authority.keysAndCertificate();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const read = (path: string): Promise<string> => readFile(path, "utf8");
async function verdicts(): Promise<readonly unknown[]> {
  return [
    verifyReport(await read(places.reportJson), await read(places.reportSeal)),
    verifyReport(await read(places.reportHtml)),
    verifyReport(await read(places.reportPdf)),
  ];
}

test("report and label are written in every form, for the group to read, signed by the device", async () => {
  await writeDurably(places.privateKey, device.privateKeyPem, modes.privateKey);
  await writeDurably(places.certificate, device.certificatePem, modes.certificate);
  const { report } = madeReport(device);
  const { reportFiles, ...papers } = await writePapers(
    places,
    report,
    { ...visit, language: "es", consoleUrl: "https://console.example/" },
    durableFiles,
  );
  expect(papers).toEqual({ report, sha256: sha256(canonicalJson(report)) });
  const genuine = { genuine: true, sha256: papers.sha256, signer: report.certificateId };
  expect(await verdicts()).toEqual([genuine, genuine, genuine]);
  expect(await read(places.reportHtml)).toContain('<html lang="es">');
  expect(await read(places.reportText)).toContain(papers.sha256);

  for (const zpl of [places.label.zpl203, places.label.zpl300])
    expect(await read(zpl)).toContain("^FDMA,https://console.example/devices/core-17^FS");
  expect(await read(places.label.svg)).toContain(">Sala Sala 12</text>");
  expect(await read(places.label.pdf)).toMatch(/^%PDF-1\.4\n/);
  expect((await readFile(places.label.png)).toString("latin1", 0, 8)).toBe("\u0089PNG\r\n\u001a\n");
  for (const path of [...reportFiles, places.reportSeal, ...Object.values(places.label)])
    expect([path, ((await stat(path)).mode & 0o777).toString(8)]).toEqual([path, "640"]);
  expect(await readPapers(places, papers.sha256)).toEqual({ reportFiles, ...papers });
});

test("without an identity the report is not signed, and says so", async () => {
  const { report } = madeReport(device);
  const { sha256: hash } = await writePapers(places, report, visit, durableFiles);
  const genuine = { genuine: true, sha256: hash, signer: undefined };
  expect(await verdicts()).toEqual([genuine, genuine, genuine]);
  expect(await read(places.reportText)).toContain("Not signed: the device has no identity yet.");
});

test("a report that is there is taken only where it is the one that was written, and of this release", async () => {
  const { report } = madeReport(device);
  const { sha256: hash } = await writePapers(places, report, visit, durableFiles);
  expect(await readPapers(places, undefined)).toBeUndefined();
  await writeFile(places.reportJson, canonicalJson({ ...report, passed: false }));
  await expect(readPapers(places, hash)).rejects.toThrow(/is not the report that was written/);
  await writeFile(places.reportJson, '{"version":1}');
  expect(await readPapers(places, sha256('{"version":1}'))).toBeUndefined();
  await rm(places.reportJson);
  expect(await readPapers(places, hash)).toBeUndefined();
});
