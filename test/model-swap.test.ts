import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CreateDeploymentCommand,
  GreengrassV2Client,
  ListEffectiveDeploymentsCommand,
} from "@aws-sdk/client-greengrassv2";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { ComponentVersion, componentNames, Sha256 } from "@coalmine/contract";
import { parseRecipe } from "@coalmine/recipe";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { variant } from "../components/inference/test/model-variants.fixture.ts";
import { recipeOfThisMachine } from "../cli/simulate/own-release.ts";
import { names } from "../infra/identity/identity.ts";
import { type BuiltComponent } from "../pipeline/build/build-manifest.ts";
import { sha256 } from "../pipeline/build/digest.ts";
import { recipeDigest, renderRecipe } from "../pipeline/build/recipe-template.ts";
import { zip } from "../pipeline/build/zip.ts";
import { publish } from "../pipeline/publish/publish.ts";
import { installedComponents } from "../simulator/fleet/process/installed-components.ts";
import type { DeviceSite } from "../simulator/fleet/process/process-device.ts";
import { ProcessFleet } from "../simulator/fleet/process/process-fleet.ts";
import { startedWith, treeOf } from "../simulator/fleet/process/process-tree.ts";
import { coreDevice } from "./artifacts-setup.ts";
import { type LocalRegion, place, startLocalRegion } from "./local-region.ts";
import { commissionIn } from "./on-this-machine.ts";

/** A model is released to a device whose components are processes: inference goes on as the process that it was. */
const root = dirname(import.meta.dirname);
const { inference, nodeRuntime, bloodViscosityModel } = componentNames;
const device = "core-01";
const buckets = { artifacts: "coalmine-artifacts", lake: "coalmine-lake" };

const { manifest: built } = inject("built");
let folder: string;
let region: LocalRegion;
let greengrass: GreengrassV2Client;
let s3: S3Client;
let fleet: ProcessFleet | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cs-"));
  region = await startLocalRegion(join(folder, "cloud"));
  greengrass = new GreengrassV2Client(region.settings);
  s3 = new S3Client({ ...region.settings, forcePathStyle: true });
  for (const Bucket of Object.values(buckets)) await s3.send(new CreateBucketCommand({ Bucket }));
  await mkdir(join(folder, "dist/recipes"), { recursive: true });
  await symlink(join(root, "dist/artifacts"), join(folder, "dist/artifacts"));
  const parts = built.components.filter(({ component }) =>
    [inference, nodeRuntime, bloodViscosityModel].some((name) => name === component),
  );
  for (const { recipeFile } of parts)
    await writeRecipe(recipeFile, await readFile(join(root, "dist", recipeFile), "utf8"));
  await published(parts);
}, 180_000);

afterAll(async () => {
  await fleet?.stop();
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

test("a model's release reaches inference without a restart, and a bad one is refused before it changes anything", async () => {
  fleet = await ProcessFleet.start({
    folder: join(folder, "fleet"),
    devices: [device],
    clock,
    seed: "model-swap",
    periodSeconds: 15,
    endpoint: region.cloud.endpoint,
    node: process.execPath,
    coreDevice,
    commissionDevice,
    installedComponents: (thing) => installedComponents(greengrass, thing),
  });
  const version = built.components.find(({ component }) => component === bloodViscosityModel)?.version ?? "";
  const manifest = await readFile(join(root, "models/blood-viscosity/manifest.json"), "utf8");
  await deploy({ version, sha256: Sha256.parse(JSON.parse(manifest).sha256) });
  await fleet.waitUntilRunning([nodeRuntime, inference, bloodViscosityModel], 60_000);
  const pid = await pidOfInference();

  const good = await releaseModel("1.9.0", "good", manifest);
  expect(await outcomeOf(await deploy(good))).toMatchObject({ status: "SUCCEEDED" });
  await until(async () => (await swappedTo()).includes(good.sha256));
  expect(await pidOfInference()).toBe(pid);

  const bad = await releaseModel("1.9.1", "failingVectors", manifest);
  const refused = await outcomeOf(await deploy(bad));
  expect(refused.status).toBe("FAILED");
  expect(refused.reason).toMatch(
    /test vector 0 gives viscosity [\d.]+ and class normal, its manifest says [\d.]+/,
  );
  expect(await pidOfInference()).toBe(pid);
  expect(await swappedTo()).toEqual([good.sha256]);
}, 240_000);

const SWAPPED = "another model serves from here on";
interface Model {
  readonly version: string;
  readonly sha256: Sha256;
}

/** The models that inference says it swapped to, in its log; its lines may stand within those of the nucleus. */
async function swappedTo(): Promise<string[]> {
  const lines = (await inferenceLog()).split("\n").filter((line) => line.includes(SWAPPED));
  return lines.map((line) => /after\W+([0-9a-f]{64})/.exec(line)?.[1] ?? line);
}

function inferenceLog(): Promise<string> {
  const file = join(folder, "fleet", device, "root/logs", `${inference}.log`);
  return readFile(file, "utf8").catch(() => "");
}

async function pidOfInference(): Promise<number> {
  const below = new Set(await treeOf(fleet?.devices[0]?.process.pid ?? 0));
  const own = (await startedWith("COALMINE_COMPONENT", inference)).filter((pid) => below.has(pid));
  expect(own).toHaveLength(1);
  return own[0] ?? 0;
}

async function deploy({ version, sha256: hash }: Model): Promise<string> {
  const model = { component: bloodViscosityModel, componentVersion: version, sha256: hash };
  const versionOf = (name: string): string =>
    built.components.find(({ component }) => component === name)?.version ?? "";
  const { deploymentId = "" } = await greengrass.send(
    new CreateDeploymentCommand({
      targetArn: `arn:aws:iot:${place.region}:${place.accountId}:thinggroup/${names.fleetGroup}`,
      deploymentPolicies: {
        failureHandlingPolicy: "ROLLBACK",
        configurationValidationPolicy: { timeoutInSeconds: 60 },
      },
      components: {
        [nodeRuntime]: { componentVersion: versionOf(nodeRuntime) },
        [bloodViscosityModel]: { componentVersion: version },
        [inference]: {
          componentVersion: versionOf(inference),
          configurationUpdate: { merge: JSON.stringify({ model, healthIntervalSeconds: 5 }) },
        },
      },
    }),
  );
  return deploymentId;
}

async function outcomeOf(deploymentId: string): Promise<{ status: string; reason: string }> {
  let outcome = { status: "", reason: "" };
  await until(async () => {
    const { effectiveDeployments = [] } = await greengrass.send(
      new ListEffectiveDeploymentsCommand({ coreDeviceThingName: device }),
    );
    const one = effectiveDeployments.find((found) => found.deploymentId === deploymentId);
    outcome = { status: one?.coreDeviceExecutionStatus ?? "", reason: one?.reason ?? "" };
    return ["SUCCEEDED", "FAILED", "REJECTED"].includes(outcome.status);
  });
  return outcome;
}

/** A version of the model as its owner would release it: other bytes, or another manifest. */
async function releaseModel(version: string, kind: "good" | "failingVectors", text: string): Promise<Model> {
  const { bytes, change } = variant(kind);
  const hash = sha256(bytes);
  const manifest = JSON.stringify({ ...JSON.parse(text), version, sha256: hash, ...change });
  const zipped = await zip([
    { name: "model.onnx", bytes },
    { name: "manifest.json", bytes: new TextEncoder().encode(manifest) },
  ]);
  const file = `model-${version}/model.zip`;
  await mkdir(join(folder, "dist", dirname(file)), { recursive: true });
  await writeFile(join(folder, "dist", file), zipped);
  const recipeFile = `recipes/${bloodViscosityModel}-${version}.yaml`;
  const { text: recipe } = renderRecipe(root, bloodViscosityModel, version);
  await writeRecipe(recipeFile, recipe);
  const before = built.components.find(({ component }) => component === bloodViscosityModel);
  if (before === undefined) throw new Error("dist/build.json has no model");
  await published([
    {
      ...before,
      version: ComponentVersion.parse(version),
      recipe: recipeDigest(parseRecipe(recipe, recipeFile)),
      recipeFile,
      artifacts: { any: { file, sha256: sha256(zipped), sizeBytes: zipped.length } },
    },
  ]);
  return { version, sha256: hash };
}

async function writeRecipe(recipeFile: string, text: string): Promise<void> {
  await writeFile(join(folder, "dist", recipeFile), recipeOfThisMachine(text));
}

async function published(components: readonly BuiltComponent[]): Promise<void> {
  const target = {
    name: "home",
    region: place.region,
    endpoint: region.cloud.endpoint,
    artifactBucket: buckets.artifacts,
    lakeBucket: buckets.lake,
    canaryGroup: names.canaryGroup,
    mainGroup: names.mainGroup,
  };
  // What this checkout builds is taken for released.
  const manifest = { ...built, components: components.map((one) => ({ ...one, released: true })) };
  const ports = { s3, greengrass, clock, pause: () => clock.sleep(200), accountId: place.accountId };
  await publish(join(folder, "dist"), manifest, target, ports);
}

async function commissionDevice(site: DeviceSite): Promise<void> {
  await commissionIn(region, folder, site);
}

async function until(holds: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  while (!(await holds())) {
    if (clock.monotonicMs() > deadlineMs)
      throw new Error(
        `${String(holds)}: not within ${withinMs / 1000} s; inference says ${(await inferenceLog()).slice(-1500)}`,
      );
    await clock.sleep(300);
  }
}
