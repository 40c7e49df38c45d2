import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exchangeCode } from "../../api/claims/exchange.ts";
import { Sha256 } from "@coalmine/contract";
import { type LocalRegion, place, startLocalRegion } from "../../test/local-region.ts";
import { runCommand } from "../command.fixture.ts";
import { places, type Places, writeRunning } from "../system/state.ts";
import { addDeviceCommands } from "./commands.ts";

let folder: string;
let region: LocalRegion;
let at: Places;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "device-commands-"));
  region = await startLocalRegion(join(folder, "cloud"));
  await region.claims.s3.send(new CreateBucketCommand({ Bucket: "artifacts" }));
  at = places(folder, { COALMINE_STATE: join(folder, "state") });
  const { accessKeyId, secretAccessKey } = region.settings.credentials;
  writeRunning(at, {
    pid: process.pid,
    isUp: true,
    targets: [
      {
        name: "home",
        region: place.region,
        endpoint: region.cloud.endpoint,
        artifactBucket: "artifacts",
        lakeBucket: "lake",
        canaryGroup: "coalmine-canary",
        mainGroup: "coalmine-main",
      },
    ],
    repository: join(folder, "repository"),
    accessKeyId,
    secretAccessKey,
    controlTokens: {},
  });
});
afterAll(async () => {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});
const device = (...words: string[]) =>
  runCommand((program) => addDeviceCommands(program, at), "device", ...words);

test("a code is made to type and to scan, or as JSON, and is taken once", async () => {
  const { out, code } = await device("claim", "--site", "ward-7", "--serial", "core-1");
  expect(code).toBe(0);
  expect(out).toMatch(/[█▀▄]{10}/);
  expect(out).toMatch(/\w{4}-\w{4}-\w{4} {3}for core-1, any hardware at ward-7, once, until \d{4}-/);
  const batch = await device("claim", "--site", "ward-7", "--count", "3", "--json");
  const minted = JSON.parse(batch.out) as { code: string }[];
  expect(minted).toHaveLength(3);
  const [first, second] = ["a", "b"].map((digit) => Sha256.parse(digit.repeat(64)));
  const shown = { code: minted[0]?.code ?? "", key: first ?? Sha256.parse("") };
  await exchangeCode(region.claims, shown, "here");
  await expect(
    exchangeCode(region.claims, { ...shown, key: second ?? shown.key }, "here"),
  ).rejects.toMatchObject({ refusal: { reason: "used" } });
});

test("what cannot be asked ends with the exit code for it", async () => {
  expect(await device("claim", "--site", "a ward")).toMatchObject({ code: 2 });
  expect(await device("claim", "--site", "ward-7", "--count", "2", "--serial", "x")).toMatchObject({
    code: 2,
  });
  expect(await device("show", "nobody")).toMatchObject({ code: 7 });
  expect(await device("decommission", "nobody", "--reason", "typo")).toMatchObject({ code: 7 });
});

test("a device is shown, and taken out with a slip that tells what was done and what comes next", async () => {
  await region.cloud.cloud.invoke("iot", "CreateThing", {
    thingName: "core-2",
    attributePayload: { attributes: { site: "ward-7" } },
  });
  const shown = await device("show", "core-2");
  expect(shown.out).toContain("site  ward-7");
  const slip = await device("swap", "core-2", "--reason", "broken");
  expect(slip.out).toMatch(/^SWAP {2}core-2/);
  expect(slip.out).toMatch(/Why +broken/);
  expect(slip.out).toMatch(/\w{4}-\w{4}-\w{4} {3}for core-2, any hardware at ward-7/);
  const after = await device("show", "core-2", "--json");
  expect(JSON.parse(after.out)).toMatchObject({
    thing: "core-2",
    history: [{ kind: "retiring", as: "swap", reason: "broken" }, { kind: "retired" }],
  });
});
