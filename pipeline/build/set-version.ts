import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "./build-error.ts";
import { nodeRuntimeVersion, packagingOf, pinnedNode } from "./node-version.ts";
import { type Source, packagingFile } from "./sources.ts";

/** Writes `version` where `source` has its own, and changes nothing else there. Returns the files it wrote. */
export function setVersion(root: string, source: Source, version: string): string[] {
  if (source.kind === "node") return [setPackaging(root, source.component, version)];
  if (source.kind === "model")
    return [replaceVersion(root, `${source.folder}/manifest.json`, source.version, version)];
  return [
    replaceVersion(root, `${source.folder}/package.json`, source.version, version),
    ...setGdkVersion(root, source, version),
    ...setLockedVersion(root, source.folder, version),
  ];
}

/** The Greengrass Development Kit reads it from a file of its own. */
function setGdkVersion(root: string, { folder, version }: Source, to: string): string[] {
  const file = `${folder}/gdk-config.json`;
  return existsSync(join(root, file)) ? [replaceVersion(root, file, version, to)] : [];
}

function setPackaging(root: string, component: string, version: string): string {
  const node = pinnedNode(root);
  const packaging = packagingOf(version);
  if (nodeRuntimeVersion(node, packaging) !== version)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${component} ${version} is no packaging of Node ${node}; pin another Node, or take recipes/node-runtime.json from main`,
    );
  writeFileSync(packagingFile(root), `{ "packaging": ${packaging} }\n`);
  return "recipes/node-runtime.json";
}

function replaceVersion(root: string, file: string, from: string, to: string): string {
  const text = readFileSync(join(root, file), "utf8");
  const written = `"version": "${from}"`;
  if (!text.includes(written))
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${file} does not hold ${written}; format it, and run npm run bump again`,
    );
  // The first one: a manifest may have versions of other things further down.
  writeFileSync(join(root, file), text.replace(written, `"version": "${to}"`));
  return file;
}

/** npm writes each workspace's version into the lockfile too; so the next install leaves it as it is. */
function setLockedVersion(root: string, folder: string, version: string): string[] {
  const file = join(root, "package-lock.json");
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const entry = new RegExp(`(\\n    "${folder}": \\{[^}]*?\\n      "version": ")[^"]+(")`);
  if (!entry.test(text)) return [];
  writeFileSync(
    file,
    text.replace(entry, (_, before: string, after: string) => `${before}${version}${after}`),
  );
  return ["package-lock.json"];
}
