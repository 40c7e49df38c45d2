import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";
import { platforms } from "./platform.ts";

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
