import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PORTS_VERSION } from "@coalmine/ports";
import type { Recipe } from "@coalmine/recipe";
import { buildArtifacts, type BuiltArtifact } from "./artifacts.ts";
import { BuildError } from "./build-error.ts";
import type { BuildManifest, BuiltComponent } from "./build-manifest.ts";
import { checkBundleGlobals } from "./check-bundle-globals.ts";
import { checkSyntax } from "./check-syntax.ts";
import { sha256 } from "./digest.ts";
import { nodeParts } from "./node-parts.ts";
import { type Built, provenanceOf } from "../supply/provenance.ts";
import { envelopeFile, sbomFile, SIGNED_FOLDER, statementFile } from "../supply/statement.ts";
import { pinnedNode } from "./node-version.ts";
import { type Platform, platforms as allPlatforms } from "./platform.ts";
import { objectKey, recipeDigest, renderRecipe } from "./recipe-template.ts";
import { checkReleased, differences, entryOf, readReleased, type ReleasedVersion } from "./released.ts";
import { findSources, type Source } from "./sources.ts";

export interface BuildOptions {
  readonly root: string;
  readonly platforms: readonly Platform[];
  /** Names of components to build; all where it is not given. */
  readonly only?: readonly string[];
  /** Also builds what `recipes/released.json` does not have, and says so in the manifest: for development and tests. */
  readonly allowUnreleased: boolean;
  readonly cacheFolder: string;
  /** Told of each component as it is done, with the seconds it took. */
  readonly progress?: (built: BuiltComponent, seconds: number) => void;
}

/**
 * Builds into `<root>/dist`: `artifacts/<component>/<platform>/<file>.zip`, `recipes/<component>-<version>.yaml`, the
 * bundles by themselves in `bundles/<component>`, what is signed in `statements`, and last `build.json`.
 */
export async function buildAll(options: BuildOptions): Promise<BuildManifest> {
  const { root } = options;
  const sources = chosen(findSources(root), options.only);
  const released = readReleased(root);
  const dist = join(root, "dist");
  // First, so that a build that fails leaves nothing that looks like one that did not.
  await rm(join(dist, "build.json"), { force: true });
  if (options.only === undefined)
    for (const part of ["artifacts", "bundles", "recipes", "statements"])
      await rm(join(dist, part), { recursive: true, force: true });
  const components: BuiltComponent[] = [];
  const left = sources.entries();
  const work = async (): Promise<void> => {
    for (const [index, source] of left) {
      const started = performance.now();
      const built = await buildComponent(source, released, options);
      components[index] = built;
      options.progress?.(built, (performance.now() - started) / 1000);
    }
  };
  // Two at a time: much of it waits for other processes, and the smallest machine has two cores.
  await Promise.all([work(), work()]);
  if (!options.allowUnreleased) checkReleased(released, components.map(asReleased));
  const manifest: BuildManifest = {
    portsVersion: PORTS_VERSION,
    nodeVersion: pinnedNode(root),
    platforms: [...options.platforms],
    components,
  };
  await write(join(dist, "build.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

/** Builds one component, model or Node into `<root>/dist`, and checks that its recipe and its artifacts fit together. */
export async function buildComponent(
  source: Source,
  released: readonly ReleasedVersion[],
  { root, platforms, cacheFolder }: Pick<BuildOptions, "root" | "platforms" | "cacheFolder">,
): Promise<BuiltComponent> {
  const { component, version } = source;
  const dist = join(root, "dist");
  const { text, recipe } = renderRecipe(root, component, version);
  const { artifacts, bundles, sources } = await buildArtifacts(root, source, platforms, cacheFolder);
  checkArtifactsNamed(recipe, source, artifacts);

  await rm(join(dist, "artifacts", component), { recursive: true, force: true });
  for (const { name, bytes } of bundles) {
    const file = join(dist, "bundles", component, name);
    await write(file, bytes);
    if (name === "main.mjs") await checkSyntax(file);
    if (name === "component.mjs") await checkBundleGlobals(file);
  }
  const files: BuiltComponent["artifacts"] = {};
  for (const { platform, zip } of artifacts) {
    const file = `artifacts/${component}/${platform}/${source.artifact}.zip`;
    await write(join(dist, file), zip);
    files[platform] = { file, sha256: sha256(zip), sizeBytes: zip.length };
  }
  const recipeFile = `recipes/${component}-${version}.yaml`;
  await write(join(dist, recipeFile), text);
  const built: BuiltComponent = {
    component: recipe.componentName,
    version: recipe.componentVersion,
    kind: source.kind,
    released: false,
    recipe: recipeDigest(recipe),
    recipeFile,
    artifacts: files,
  };
  const inside = source.kind === "node" ? await nodeParts(root) : {};
  const made = { source, recipe: built.recipe, artifacts, sources, nodeVersion: pinnedNode(root), inside };
  await writeProvenance(root, dist, made);
  const entry = entryOf(released, component, version);
  return { ...built, released: entry !== undefined && differences(entry, asReleased(built)).length === 0 };
}

/** The bills and the statement, and, where somebody signed that version and committed it, the signature. */
async function writeProvenance(root: string, dist: string, built: Built): Promise<void> {
  const { component, version } = built.source;
  const { sboms, statement } = provenanceOf(root, built);
  for (const [platform, text] of sboms) await write(join(dist, sbomFile(component, version, platform)), text);
  await write(join(dist, statementFile(component, version)), statement);
  const envelope = join(root, SIGNED_FOLDER, basename(envelopeFile(component, version)));
  if (existsSync(envelope))
    await write(join(dist, envelopeFile(component, version)), await readFile(envelope));
}

/** What the list of releases says of a build. */
export function asReleased({ component, version, recipe, artifacts }: BuiltComponent): ReleasedVersion {
  const digests: ReleasedVersion["artifacts"] = {};
  for (const platform of [...allPlatforms, "any"] as const) {
    const artifact = artifacts[platform];
    if (artifact !== undefined) digests[platform] = artifact.sha256;
  }
  return { component, version, recipe, artifacts: digests };
}

function chosen(sources: readonly Source[], only: readonly string[] | undefined): readonly Source[] {
  if (only === undefined) return sources;
  const unknown = only.filter((name) => !sources.some(({ component }) => component === name));
  if (unknown.length > 0)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `there is no component ${unknown.join(", ")}; take one of ${sources.map(({ component }) => component).join(", ")}`,
    );
  return sources.filter(({ component }) => only.includes(component));
}

/** Each artifact that was built is one that the recipe names, where publish will put it. */
function checkArtifactsNamed(recipe: Recipe, source: Source, artifacts: readonly BuiltArtifact[]): void {
  const named = new Set(recipe.manifests.flatMap((manifest) => manifest.artifacts.map(({ uri }) => uri)));
  for (const { platform } of artifacts) {
    const key = objectKey(source.component, source.version, platform, `${source.artifact}.zip`);
    if (!named.has(`s3://BUCKET_NAME/${key}`))
      throw new BuildError(
        "ERR_BUILD_SOURCE",
        `recipes/${source.component}.yaml names no artifact s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION/${platform}/${source.artifact}.zip; add it`,
      );
  }
}

async function write(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
