import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalJson } from "../../commissioning/report/canonical-json.ts";
import { reportHtml } from "../../commissioning/report/html.ts";
import { madeReport } from "../../commissioning/report/report.fixture.ts";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";
import { answers } from "../answers/answers.ts";
import { runCommand } from "../command.fixture.ts";
import { exitCodes } from "../exit-codes.ts";
import { addVerifyCommand } from "./verify-report.ts";

let folder: string;
let made: ReturnType<typeof madeReport>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cm-report-"));
  const authority = await CertificateAuthority.open({ random: systemRandom, wallClock: systemClock });
  made = madeReport(authority.keysAndCertificate());
  const { report, seal } = made;
  await writeFile(join(folder, "report.json"), canonicalJson(report));
  await writeFile(join(folder, "report.seal.json"), canonicalJson(seal));
  await writeFile(join(folder, "report.html"), reportHtml(report, seal, "en"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const verify = (...words: string[]) => runCommand(addVerifyCommand, "verify", ...words);
/** A copy in which one thing is another. */
async function changed(name: string, from: string, to: string): Promise<string> {
  const text = await readFile(join(folder, name), "utf8");
  expect(text).toContain(from);
  const path = join(folder, `changed-${name}`);
  await writeFile(path, text.replace(from, to));
  return path;
}

test("a report as the device wrote it is told with its hash and who signed it, in words and by the published schema", async () => {
  const { report, seal } = made;
  for (const name of ["report.json", "report.html"]) {
    const file = join(folder, name);
    const { out, code } = await verify(file);
    expect(code).toBe(exitCodes.done);
    expect(out).toContain(seal.sha256);
    expect(out).toContain(report.certificateId);
    const printed: unknown = JSON.parse((await verify(file, "--json")).out);
    expect(answers["device-verify"].parse(printed)).toEqual({
      file,
      genuine: true,
      sha256: seal.sha256,
      signer: report.certificateId,
    });
  }
});

test("what was changed is named: data, the seal's hash, its signature, the page's drawing, or that there is no seal", async () => {
  const json = join(folder, "report.json");
  const { thing } = made.report;
  const data = await verify(await changed("report.json", thing, "core-99"));
  expect(data.code).toBe(exitCodes.unexpected);
  expect(data.out).toMatch(/its data has the SHA-256 .*: it was changed/);

  const hash = await verify(
    json,
    "--seal",
    await changed("report.seal.json", made.seal.sha256, "0".repeat(64)),
  );
  expect(hash.out).toContain("the hash in its seal was changed");

  const { value = "" } = made.seal.signature ?? {};
  const forged = `${value.slice(0, 20)}${value[20] === "A" ? "B" : "A"}${value.slice(21)}`;
  const signature = await verify(json, "--seal", await changed("report.seal.json", value, forged));
  expect(signature.out).toContain("its signature is not that of the device");

  const drawing = await verify(await changed("report.html", "<h1", "<h1 hidden"), "--json");
  expect(drawing.code).toBe(exitCodes.unexpected);
  expect(answers["device-verify"].parse(JSON.parse(drawing.out))).toMatchObject({
    genuine: false,
    sentence: expect.stringContaining("its data is as it was written, but from character") as string,
  });

  const nowhere = join(folder, "seal-is-elsewhere");
  expect((await verify(json, "--seal", nowhere)).err).toContain("name the seal of the report");
});
