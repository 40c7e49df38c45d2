import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ComponentName, ComponentVersion } from "@coalmine/contract";
import { parseRecipe } from "@coalmine/recipe";
import type { BuildManifest, BuiltComponent } from "../build/build-manifest.ts";
import { sha256 } from "../build/digest.ts";
import { platforms } from "../build/platform.ts";
import { recipeDigest } from "../build/recipe-template.ts";
import { writeZip } from "../build/write-zip.ts";
import { provenanceOf } from "../supply/provenance.ts";
import { sbomFile, statementFile } from "../supply/statement.ts";

/**
 * A build as `npm run build` leaves it, in a folder of its own, of components that are a few bytes each: their recipes,
 * zips, bills and statements are made by what makes the real ones.
 */
export async function tinyBuild(
  root: string,
  dist: string,
  names: readonly string[],
  version = "1.0.0",
): Promise<BuildManifest> {
  const write = (file: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    writeFileSync(join(dist, file), content);
  };
  const components: BuiltComponent[] = [];
  for (const name of names) {
    const recipeFile = `recipes/${name}-${version}.yaml`;
    const text = recipeOf(name, version);
    write(recipeFile, text);
    const recipe = recipeDigest(parseRecipe(text, recipeFile));
    const made = [];
    const artifacts: BuiltComponent["artifacts"] = {};
    for (const platform of platforms) {
      const entries = [{ name: "main.mjs", bytes: Buffer.from(`${name} ${version} ${platform}`) }];
      const zip = await writeZip(entries);
      const file = `artifacts/${name}/${platform}/tiny.zip`;
      write(file, zip);
      artifacts[platform] = { file, sha256: sha256(zip), sizeBytes: zip.length };
      made.push({ platform, zip, entries, packages: [] });
    }
    const source = {
      component: name,
      version,
      kind: "component",
      folder: "components/sensor-reader",
      artifact: "tiny",
    } as const;
    const { sboms, statement } = provenanceOf(root, {
      source,
      recipe,
      artifacts: made,
      sources: [],
      nodeVersion: "24.0.0",
      inside: {},
    });
    for (const [platform, bill] of sboms) write(sbomFile(name, version, platform), bill);
    write(statementFile(name, version), statement);
    components.push({
      component: ComponentName.parse(name),
      version: ComponentVersion.parse(version),
      kind: "component",
      released: true,
      recipe,
      recipeFile,
      artifacts,
    });
  }
  const manifest: BuildManifest = {
    portsVersion: 1,
    nodeVersion: "24.0.0",
    platforms: [...platforms],
    components,
  };
  write("build.json", JSON.stringify(manifest));
  return manifest;
}

function recipeOf(name: string, version: string): string {
  const manifest = (
    architecture: string,
    platform: string,
  ) => `  - Platform: { os: linux, architecture: ${architecture} }
    Lifecycle: { Run: echo }
    Artifacts:
      - { Uri: "s3://BUCKET_NAME/${name}/${version}/${platform}/tiny.zip", Unarchive: ZIP }
`;
  return `RecipeFormatVersion: "2020-01-25"
ComponentName: ${name}
ComponentVersion: "${version}"
Manifests:
${manifest("amd64", "linux-x64")}${manifest("aarch64", "linux-arm64")}`;
}
