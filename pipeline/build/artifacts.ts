import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "./build-error.ts";
import { bundleComponent } from "./bundle.ts";
import { cachedZip } from "./cached-zip.ts";
import { sha256 } from "./digest.ts";
import { nativeFiles } from "./native-modules.ts";
import { nodeBinary } from "./node-binary.ts";
import type { ArtifactPlatform, Platform } from "./platform.ts";
import { readJson } from "./read-json.ts";
import { ModelManifest, type Source } from "./sources.ts";
import type { ZipEntry } from "./zip.ts";

export interface BuiltArtifact {
  readonly platform: ArtifactPlatform;
  readonly zip: Uint8Array;
}

/** The entries of each zip of `source`, for the platforms asked for. Nothing in them depends on its version. */
export async function buildArtifacts(
  root: string,
  source: Source,
  platforms: readonly Platform[],
  cacheFolder: string,
): Promise<{ artifacts: BuiltArtifact[]; component: Uint8Array | undefined }> {
  const artifacts: BuiltArtifact[] = [];
  const add = async (platform: ArtifactPlatform, entries: readonly ZipEntry[]) => {
    artifacts.push({ platform, zip: await cachedZip(entries, cacheFolder) });
  };
  switch (source.kind) {
    case "component": {
      const { files, inputs } = await bundleComponent(root, source.folder);
      for (const platform of platforms)
        await add(platform, [...files, ...(await nativeFiles(root, inputs, platform))]);
      return { artifacts, component: files.find(({ name }) => name === "component.mjs")?.bytes };
    }
    case "model":
      await add("any", await modelEntries(root, source));
      return { artifacts, component: undefined };
    case "node":
      for (const platform of platforms)
        await add(platform, [
          { name: "bin/node", bytes: await nodeBinary(root, platform, cacheFolder), executable: true },
        ]);
      return { artifacts, component: undefined };
  }
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
