import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { componentNames } from "@coalmine/contract";
import { checkLicences } from "../supply/licences.ts";
import { type LockedPackage, packagesOf } from "../supply/locked-packages.ts";
import { noticeOf } from "../supply/notice.ts";
import { BuildError } from "./build-error.ts";
import { bundleComponent } from "./bundle.ts";
import { cachedZip } from "./cached-zip.ts";
import { sha256 } from "./digest.ts";
import { nativeFiles, sharedNatives } from "./native-modules.ts";
import { nodeBinary, nodeLicence } from "./node-binary.ts";
import { pinnedNode } from "./node-version.ts";
import type { ArtifactPlatform, Platform } from "./platform.ts";
import { readJson } from "./read-json.ts";
import { ModelManifest, type Source } from "./sources.ts";
import type { ZipEntry } from "./zip.ts";

export interface BuiltArtifact {
  readonly platform: ArtifactPlatform;
  readonly zip: Uint8Array;
  readonly entries: readonly ZipEntry[];
  /** Whose code is in it. */
  readonly packages: readonly LockedPackage[];
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
): Promise<{
  artifacts: BuiltArtifact[];
  bundles: readonly ZipEntry[];
  /** Our own sources that are bundled, by their path from the root. */
  sources: readonly string[];
}> {
  const { component } = source;
  const bundle = source.kind === "component" ? await bundleComponent(root, source.folder) : undefined;
  const bundled = bundle === undefined ? [] : packagesOf(root, bundle.bundled);
  checkLicences(component, bundled);
  const notice = bundle && noticeEntry(noticeOf(root, component, bundled));
  const contentOf = async (platform: ArtifactPlatform): Promise<Omit<BuiltArtifact, "platform" | "zip">> => {
    if (platform === "any") return { entries: await modelEntries(root, source), packages: [] };
    if (bundle === undefined || notice === undefined) return nodeContent(root, platform, cacheFolder);
    const natives = await nativeFiles(root, bundle.inputs, platform);
    return { entries: [...bundle.files, ...natives, notice], packages: bundled };
  };
  // At once: each deflates in threads of its own.
  const artifacts = await Promise.all(
    (source.kind === "model" ? (["any"] as const) : platforms).map(
      async (platform): Promise<BuiltArtifact> => {
        const content = await contentOf(platform);
        return { platform, zip: await cachedZip(content.entries, cacheFolder), ...content };
      },
    ),
  );
  const sources = [...(bundle?.bundled ?? [])].filter((file) => !/(^|\/)node_modules\/|^[^./]+:/.test(file));
  return { artifacts, bundles: bundle?.files ?? [], sources: sources.sort() };
}

/** Node without its headers and manuals, sixty megabytes that no device needs, and what its components share. */
async function nodeContent(
  root: string,
  platform: Platform,
  cacheFolder: string,
): Promise<Omit<BuiltArtifact, "platform" | "zip">> {
  const shared = packagesOf(root, ["node_modules/aws-crt/"]);
  const notice = noticeOf(root, componentNames.nodeRuntime, shared, {
    [`Node.js ${pinnedNode(root)}`]: await nodeLicence(root, platform, cacheFolder),
  });
  return {
    entries: [
      { name: "bin/node", bytes: await nodeBinary(root, platform, cacheFolder), executable: true },
      ...(await sharedNatives(root, platform)),
      noticeEntry(notice),
    ],
    packages: [...packagesOf(root, [`node_modules/node-${platform}/`]), ...shared],
  };
}

function noticeEntry(text: string): ZipEntry {
  return { name: "NOTICE", bytes: new TextEncoder().encode(text) };
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
