import { ComponentName, ComponentVersion } from "@coalmine/contract";
import semver from "semver";
import * as z from "zod";
import { ArtifactSchema } from "./artifact.ts";
import { anyCase } from "./case-insensitive.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { PlatformPatternSchema } from "./platform.ts";
import { textWith } from "./rule.ts";
import { isRange } from "./version-range.ts";

/** Each message is the rule that a value breaks; `parseRecipe` adds where it stands and what was found. */
const mapping = z.custom<JsonObject>(isJsonObject, { error: "must be a map" });
const text = z.string({ error: "must be text" });

const dependencies = z.record(
  z.string(),
  anyCase({
    VersionRequirement: textWith(isRange, "must be a range as npm writes them", {
      code: "COMPONENT_DEPENDENCY_NOT_VALID",
      remedy: 'write for instance ">=1.2.0 <2.0.0" or "^1.2.0"',
    }),
    DependencyType: z
      .preprocess(
        (value) => (typeof value === "string" ? value.toUpperCase() : value),
        z.enum(["HARD", "SOFT"], { error: "must be HARD or SOFT" }),
      )
      .optional(),
  }).transform((dependency) => ({
    versionRequirement: dependency.VersionRequirement,
    dependencyType: dependency.DependencyType ?? ("HARD" as const),
  })),
  { error: "must be a map of component names" },
);

const manifest = anyCase({
  Name: text.optional(),
  Platform: PlatformPatternSchema.optional(),
  Lifecycle: mapping.optional(),
  Artifacts: z.array(ArtifactSchema, { error: "must be a list" }).optional(),
  Selections: z.array(text, { error: "must be a list of words" }).optional(),
}).transform((found) => ({
  ...(found.Name === undefined ? {} : { name: found.Name }),
  platform: found.Platform ?? {},
  lifecycle: found.Lifecycle ?? {},
  artifacts: found.Artifacts ?? [],
  selections: found.Selections ?? [],
}));

export const RecipeSchema = anyCase({
  RecipeFormatVersion: z.literal("2020-01-25", { error: 'must be "2020-01-25"' }),
  // Its folders are called so: these two would be others' folders.
  ComponentName: text.pipe(ComponentName.refine((name) => name !== "." && name !== "..")),
  ComponentVersion: text.pipe(
    ComponentVersion.refine((version) => semver.valid(version) === version.split("+")[0], {
      error: "must be a semantic version",
      params: { code: "COMPONENT_VERSION_NOT_VALID", remedy: 'write one like "1.2.3"' },
    }),
  ),
  ComponentType: z
    .enum(
      ["aws.greengrass.generic", "aws.greengrass.lambda", "aws.greengrass.plugin", "aws.greengrass.nucleus"],
      { error: "must be aws.greengrass.generic, .lambda, .plugin or .nucleus" },
    )
    .optional(),
  ComponentDescription: text.optional(),
  ComponentPublisher: text.optional(),
  ComponentConfiguration: anyCase({ DefaultConfiguration: mapping.optional() }).optional(),
  ComponentDependencies: dependencies.optional(),
  Manifests: z.array(manifest, { error: "must be a list with at least one manifest" }).min(1),
  Lifecycle: mapping.optional(),
}).transform((found) => ({
  formatVersion: found.RecipeFormatVersion,
  componentName: found.ComponentName,
  componentVersion: found.ComponentVersion,
  componentType: found.ComponentType ?? "aws.greengrass.generic",
  ...(found.ComponentDescription === undefined ? {} : { description: found.ComponentDescription }),
  ...(found.ComponentPublisher === undefined ? {} : { publisher: found.ComponentPublisher }),
  configuration: found.ComponentConfiguration?.DefaultConfiguration ?? {},
  dependencies: found.ComponentDependencies ?? {},
  manifests: found.Manifests,
  lifecycle: found.Lifecycle ?? {},
}));

/** A recipe, whole and checked. `configuration` is its default configuration; `lifecycle` the global one. */
export type Recipe = z.output<typeof RecipeSchema>;
export type Manifest = Recipe["manifests"][number];
export type Dependency = Recipe["dependencies"][string];
