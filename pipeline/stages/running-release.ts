import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  GetComponentCommand,
  GetDeploymentCommand,
  type GreengrassV2Client,
  ListDeploymentsCommand,
} from "@aws-sdk/client-greengrassv2";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { type BuildManifest, BuiltComponent } from "../build/build-manifest.ts";
import { sha256 } from "../build/digest.ts";
import { recipeDigest } from "../build/recipe-template.ts";
import { parseRecipe, recipeDocument } from "@coalmine/recipe";
import { componentArn } from "../publish/publish.ts";
import type { Target } from "../target.ts";

export interface RunningPorts {
  readonly greengrass: GreengrassV2Client;
  readonly s3: S3Client;
  readonly accountId: string;
}

/** What the main group of a target runs, by its latest deployment: component → version; undefined where there is none. */
export async function runningVersions(
  target: Target,
  { greengrass, accountId }: RunningPorts,
): Promise<Map<string, string> | undefined> {
  const targetArn = `arn:aws:iot:${target.region}:${accountId}:thinggroup/${target.mainGroup}`;
  const { deployments = [] } = await greengrass.send(
    new ListDeploymentsCommand({ targetArn, historyFilter: "LATEST_ONLY" }),
  );
  const deploymentId = deployments[0]?.deploymentId;
  if (deploymentId === undefined) return undefined;
  const { components = {} } = await greengrass.send(new GetDeploymentCommand({ deploymentId }));
  return new Map(
    Object.entries(components).map(([name, { componentVersion }]) => [name, componentVersion ?? ""]),
  );
}

/**
 * Brings the running release into `folder`, in the same form as a build's `dist`, so that the rehearsal starts from the
 * very bytes that run. What the candidate did not change is taken from its own build. Public components stay away.
 */
export async function fetchRunning(
  versions: ReadonlyMap<string, string>,
  candidate: BuildManifest,
  candidateDist: string,
  folder: string,
  target: Target,
  ports: RunningPorts,
): Promise<BuildManifest> {
  const components: BuiltComponent[] = [];
  for (const [name, version] of versions) {
    if (name.startsWith("aws.")) continue;
    const same = candidate.components.find((built) => built.component === name && built.version === version);
    components.push(
      same === undefined
        ? await download(name, version, folder, candidate, target, ports)
        : await copy(same, candidateDist, folder),
    );
  }
  const manifest: BuildManifest = { ...candidate, components };
  await write(join(folder, "build.json"), JSON.stringify(manifest, undefined, 2));
  return manifest;
}

async function copy(built: BuiltComponent, from: string, to: string): Promise<BuiltComponent> {
  for (const file of [built.recipeFile, ...Object.values(built.artifacts).map((artifact) => artifact.file)]) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await copyFile(join(from, file), join(to, file));
  }
  return built;
}

async function download(
  component: string,
  version: string,
  folder: string,
  candidate: BuildManifest,
  target: Target,
  { greengrass, s3, accountId }: RunningPorts,
): Promise<BuiltComponent> {
  const arn = componentArn({ component, version }, target.region, accountId);
  const stored = await greengrass.send(new GetComponentCommand({ arn, recipeOutputFormat: "JSON" }));
  const recipe = parseRecipe(new TextDecoder().decode(stored.recipe), arn);
  const recipeFile = `recipes/${component}-${version}.yaml`;
  const artifacts: Record<string, { file: string; sha256: string; sizeBytes: number }> = {};
  const bare = {
    ...recipe,
    manifests: recipe.manifests.map((manifest) => ({
      ...manifest,
      artifacts: manifest.artifacts.map(({ uri, unarchive, permission }) => ({
        uri: uri.replace(/^s3:\/\/[^/]+\//, "s3://BUCKET_NAME/"),
        unarchive,
        permission,
      })),
    })),
  };
  // JSON is YAML: whoever reads recipes reads this one.
  await write(join(folder, recipeFile), JSON.stringify(recipeDocument(bare), undefined, 2));
  for (const uri of new Set(
    bare.manifests.flatMap((manifest) => manifest.artifacts.map((artifact) => artifact.uri)),
  )) {
    const key = uri.slice("s3://BUCKET_NAME/".length);
    const [, , platform = "", name = ""] = key.split("/");
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: target.artifactBucket, Key: key }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    const file = `artifacts/${component}/${platform}/${name}`;
    await write(join(folder, file), bytes);
    artifacts[platform] = { file, sha256: sha256(bytes), sizeBytes: bytes.length };
  }
  const kind = candidate.components.find((built) => built.component === component)?.kind ?? "component";
  return BuiltComponent.parse({
    component,
    version,
    kind,
    released: true,
    recipe: recipeDigest(recipe),
    recipeFile,
    artifacts,
  });
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
