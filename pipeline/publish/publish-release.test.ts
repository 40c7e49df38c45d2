import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { GetComponentCommand } from "@aws-sdk/client-greengrassv2";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { parseRecipe } from "@coalmine/recipe";
import { Closing, SeededRandom } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ACCOUNT, type RigCloud } from "../../api/rig.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { checkout } from "../build/fixture-checkout.ts";
import { closeRegion, openRegion, type Region } from "../controller/region.ts";
import type { TargetTime } from "../controller/target-time.ts";
import { releaseKey } from "../release.ts";
import type { Target } from "../target.ts";
import { publishRelease } from "./publish-release.ts";
import { componentArn } from "./publish.ts";
import { tinyBuild } from "./tiny-build.fixture.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const isLong = process.env["COALMINE_LONG"] === "1";
/** Of a publishing's calls, each that fails; the long form fails at every one. */
const STRIDE = isLong ? 1 : 11;
const COMMIT = "a".repeat(40);

const folder = mkdtempSync(join(tmpdir(), "coalmine-publish-"));
const closing = new Closing();
const clouds: RigCloud[] = [];
beforeAll(async () => {
  for (const [name, region] of [
    ["home", "us-east-1"],
    ["driven", "eu-west-1"],
  ] as const)
    clouds.push(await startCloud(closing, name, region));
});
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The region's own work goes on while publishing waits for it. */
const time: TargetTime = {
  now: async (target) => cloudOf(target).clock.now(),
  waitUntil: async (target, timeMs) => {
    await cloudOf(target).clock.runUntil(timeMs);
    return timeMs;
  },
};
const cloudOf = (target: Target): RigCloud => {
  const cloud = clouds.find(({ region }) => region === target.region);
  if (cloud === undefined) throw new Error(`no cloud ${target.region}`);
  return cloud;
};

interface Attempt {
  readonly checkout: string;
  readonly build: Awaited<ReturnType<typeof tinyBuild>>;
  readonly regions: readonly [Region, Region];
}

/** Two components of a name that nobody had before, and buckets of their own. */
async function attempt(name: string): Promise<Attempt> {
  const root = join(folder, name);
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write("pipeline/policy.yaml", "version: 1\n");
  const build = await tinyBuild(checkout, join(root, "dist"), [`plant.${name}.A`, `plant.${name}.B`]);
  const [home, driven] = clouds.map(({ region, endpoint }) =>
    closing.add(
      openRegion(
        {
          name: region,
          region,
          endpoint,
          artifactBucket: `artifacts-${name}-${region}`,
          lakeBucket: "lake",
          canaryGroup: "canary",
          mainGroup: "main",
        },
        ACCOUNT,
      ),
      closeRegion,
    ),
  );
  if (home === undefined || driven === undefined) throw new Error("two clouds are needed");
  for (const { s3, target } of [home, driven])
    await s3.send(new CreateBucketCommand({ Bucket: target.artifactBucket }));
  return { checkout: root, build, regions: [home, driven] };
}

type Next = (args: unknown) => Promise<unknown>;
interface Middlewares {
  add(middleware: (next: Next) => Next, options: object): void;
}

/** Calls of these regions go through `call`, which may fail before or after what is asked is done. */
function through(regions: readonly Region[], call: (send: () => Promise<unknown>) => Promise<unknown>): void {
  for (const { s3, greengrass } of regions)
    for (const client of [s3, greengrass])
      (client.middlewareStack as Middlewares).add((next) => (args) => call(() => next(args)), {
        step: "initialize",
        priority: "high",
      });
}

const run = ({ checkout: root, build, regions }: Attempt) =>
  publishRelease(root, build, COMMIT, regions, time);

/** What may be seen at any moment: a release whose versions are there, versions whose artifacts are there, whole. */
async function isWhole({ regions, build }: Attempt): Promise<{ released: boolean; versions: number }> {
  const [{ s3, target }] = regions;
  const released = await s3
    .send(new HeadObjectCommand({ Bucket: target.artifactBucket, Key: releaseKey(COMMIT) }))
    .then(
      () => true,
      () => false,
    );
  let versions = 0;
  for (const region of regions)
    for (const built of build.components) {
      const arn = componentArn(built, region.target.region, ACCOUNT);
      const stored = await region.greengrass
        .send(new GetComponentCommand({ arn, recipeOutputFormat: "JSON" }))
        .catch(() => undefined);
      if (stored === undefined) {
        expect(released, "a release names a version that is not there").toBe(false);
        continue;
      }
      versions++;
      const recipe = parseRecipe(new TextDecoder().decode(stored.recipe), arn);
      for (const { uri, digest } of recipe.manifests.flatMap(({ artifacts }) => artifacts)) {
        const [Bucket = "", ...key] = uri.slice("s3://".length).split("/");
        const { Metadata } = await region.s3.send(new HeadObjectCommand({ Bucket, Key: key.join("/") }));
        if (digest !== undefined)
          expect(Buffer.from(digest, "base64").toString("hex")).toBe(Metadata?.["sha256"]);
      }
    }
  return { released, versions };
}

test("publishing that fails at any of its calls, before or after it took effect, leaves nothing half-published, and a repeat ends as if nothing had failed", async () => {
  const whole = await attempt("whole");
  let calls = 0;
  through(whole.regions, (send) => (calls++, send()));
  await run(whole);
  expect(await isWhole(whole)).toEqual({ released: true, versions: 4 });
  // Of each region: two artifacts, statement and bills, creation and questions, of two components; and the release.
  expect(calls).toBeGreaterThan(28);

  const random = new SeededRandom("publish");
  let looks = false;
  for (let failing = 1; failing <= calls; failing += STRIDE) {
    const one = await attempt(`at${failing}`);
    const isLost = random.below(2) === 1;
    let count = 0;
    through(one.regions, async (send) => {
      if (++count !== failing || looks) return send();
      // The answer is lost on its way back, or nothing was ever done.
      if (isLost) await send();
      throw new Error("the line is cut");
    });
    // The order of calls follows the network: late questions may not come in every run.
    looks = false;
    const failed = await run(one).then(
      () => false,
      () => true,
    );
    looks = true;
    const seen = await isWhole(one);
    if (failed && !isLost) expect(seen.released).toBe(false);
    const again = await run(one);
    expect(await isWhole(one), `failed at call ${failing} of ${calls}`).toEqual({
      released: true,
      versions: 4,
    });
    const how = [...again.published.values()].flat().filter((each) => each.how === "created").length;
    expect(how).toBe(4 - seen.versions);
  }
  if (isLong) console.log(`failed at each of ${calls} calls of a publishing`);
});

test("what is there with the same digest is passed over, and what is there with another is refused with both digests", async () => {
  const one = await attempt("twice");
  await run(one);
  const again = await run(one);
  expect([...again.published.values()].flat().map(({ how }) => how)).toEqual(Array(4).fill("was there"));

  const [first] = one.build.components;
  const file = join(one.checkout, "dist", first?.artifacts["linux-x64"]?.file ?? "");
  writeFileSync(file, "other bytes");
  const changed = structuredClone(one.build);
  const artifact = changed.components[0]?.artifacts["linux-x64"];
  if (artifact !== undefined) Object.assign(artifact, { sha256: "0".repeat(64) });
  await expect(run({ ...one, build: changed })).rejects.toThrow(
    /holds other bytes \(SHA-256 [0-9a-f]{64}, this build 0{64}\); a released version never changes/,
  );
});

test("statement and bills of each version lie in each region, and a missing bucket is refused by name", async () => {
  const one = await attempt("beside");
  await run(one);
  for (const { s3, target } of one.regions) {
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: target.artifactBucket, Prefix: "statements/" }),
    );
    expect(Contents.map(({ Key }) => Key)).toEqual(
      ["A", "B"].flatMap((part) =>
        ["-linux-arm64.cdx.json", "-linux-x64.cdx.json", ".json"].map(
          (ending) => `statements/plant.beside.${part}-1.0.0${ending}`,
        ),
      ),
    );
  }
  const [{ s3, target }] = one.regions;
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: target.artifactBucket, Key: "statements/plant.beside.A-1.0.0.json" }),
  );
  expect(JSON.parse((await Body?.transformToString()) ?? "")).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
  });
  const [home, driven] = one.regions;
  const nowhere = { ...home, target: { ...home.target, artifactBucket: "never-made" } };
  await expect(run({ ...one, regions: [nowhere, driven] })).rejects.toThrow(
    /s3:\/\/never-made\/.* could not be written/,
  );
});
