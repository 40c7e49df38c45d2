import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { BuildError } from "./build-error.ts";
import { platforms } from "./platform.ts";
import { readJson } from "./read-json.ts";

/** One zip: its path below `dist`, and what it is. */
export const ArtifactFile = z.object({ file: z.string(), sha256: Sha256, sizeBytes: z.int() });

/** One component, model or Node in the version that this checkout makes. */
export const BuiltComponent = z.object({
  component: ComponentName,
  version: ComponentVersion,
  kind: z.enum(["component", "model", "node"]),
  /** Whether `recipes/released.json` has just these bytes under this version; publish takes nothing else. */
  released: z.boolean(),
  /** Of the recipe, without URIs. */
  recipe: Sha256,
  /** Below `dist`, with `BUCKET_NAME` still to be filled in. */
  recipeFile: z.string(),
  artifacts: z.partialRecord(z.enum([...platforms, "any"]), ArtifactFile),
});
export type BuiltComponent = z.infer<typeof BuiltComponent>;

/** `dist/build.json`: what a build made, for the stages that come after it. */
export const BuildManifest = z.object({
  portsVersion: z.int(),
  nodeVersion: z.string(),
  platforms: z.array(z.enum(platforms)),
  components: z.array(BuiltComponent),
});
export type BuildManifest = z.infer<typeof BuildManifest>;

/** What a build left in its `dist`. */
export function readBuild(dist: string): BuildManifest {
  const file = join(dist, "build.json");
  if (!existsSync(file))
    throw new BuildError("ERR_BUILD_SOURCE", `${file} is not there; run npm run build, or the build stage`);
  return readJson(BuildManifest, file);
}
