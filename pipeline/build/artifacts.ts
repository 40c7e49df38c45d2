import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "./build-error.ts";
import { bundleComponent } from "./bundle.ts";
import { cachedZip } from "./cached-zip.ts";
import { sha256 } from "./digest.ts";
import { nativeFiles, sharedNatives } from "./native-modules.ts";
import { nodeBinary } from "./node-binary.ts";
import type { ArtifactPlatform, Platform } from "./platform.ts";
import { readJson } from "./read-json.ts";
import { ModelManifest, type Source } from "./sources.ts";
import type { ZipEntry } from "./zip.ts";

export interface BuiltArtifact {
  readonly platform: ArtifactPlatform;
  readonly zip: Uint8Array;
}

/**
 * The zips of `source` for the platforms asked for, and a component's bundles by themselves. Nothing in them depends
 * on its version.
 */
export async function buildArtifacts(
  root: string,
  source: Source,
  platforms: readonly Platform[],
  cacheFolder: string,
): Promise<{ artifacts: BuiltArtifact[]; bundles: readonly ZipEntry[] }> {
  const bundle = source.kind === "component" ? await bundleComponent(root, source.folder) : undefined;
  const entriesFor = async (platform: ArtifactPlatform): Promise<ZipEntry[]> =>
    platform === "any"
      ? modelEntries(root, source)
      : bundle === undefined
        ? nodeEntries(root, platform, cacheFolder)
        : [...bundle.files, ...(await nativeFiles(root, bundle.inputs, platform))];
  // At once: each deflates in threads of its own.
  const artifacts = await Promise.all(
    (source.kind === "model" ? (["any"] as const) : platforms).map(
      async (platform): Promise<BuiltArtifact> => ({
        platform,
        zip: await cachedZip(await entriesFor(platform), cacheFolder),
      }),
    ),
  );
  return { artifacts, bundles: bundle?.files ?? [] };
}

/** Node without its headers and manuals, sixty megabytes that no device needs, and what its components share. */
async function nodeEntries(root: string, platform: Platform, cacheFolder: string): Promise<ZipEntry[]> {
  return [
    { name: "bin/node", bytes: await nodeBinary(root, platform, cacheFolder), executable: true },
    ...(await sharedNatives(root, platform)),
  ];
}

/** The ONNX file and its manifest, without the version, which would change the bytes of an unchanged model. */
async function modelEntries(root: string, source: Source): Promise<ZipEntry[]> {
  const file = join(root, source.folder, "manifest.json");
  const { version: _, ...manifest } = readJson(ModelManifest, file);
  const bytes = await readFile(join(root, source.folder, manifest.file));
  if (sha256(bytes) !== manifest.sha256)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${source.folder}/${manifest.file} has the SHA-256 ${sha256(bytes)}, and its manifest says ${manifest.sha256}; train it again, or put back the file that belongs to the manifest`,
    );
  return [
    { name: manifest.file, bytes },
    { name: "manifest.json", bytes: new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`) },
  ];
}
