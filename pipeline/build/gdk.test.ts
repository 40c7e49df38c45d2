import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import type { JsonObject } from "@coalmine/recipe";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { checkout } from "./fixture-checkout.ts";
import { gdkArtifact, gdkRecipeText, RECIPE_BYTES_MAX } from "./gdk-recipe.ts";
import { platforms } from "./platform.ts";
import { renderRecipe } from "./recipe-template.ts";
import { findSources } from "./sources.ts";

/** What the Greengrass Development Kit 1.6 takes as `gdk-config.json`. */
const Config = z.object({
  component: z.record(
    z.string(),
    z.object({
      author: z.string(),
      version: z.union([z.literal("NEXT_PATCH"), z.string().regex(/^\d+\.\d+\.\d+/)]),
      build: z.object({
        build_system: z.literal("custom"),
        custom_build_command: z.array(z.string()).min(1),
      }),
      publish: z.object({ bucket: z.string(), region: z.string() }),
    }),
  ),
  gdk_version: z.string().regex(/^\d+\.\d+\.\d+/),
});

/** What its schema takes as a recipe, keys in lower case as it reads them. */
const text = z.string();
const setenv = z.record(text, z.union([text, z.number(), z.boolean()]));
const step = z.union([
  text,
  z.object({
    script: text,
    skipif: text.regex(/(onpath|exists)\s+.*/).optional(),
    requiresprivilege: z.union([z.boolean(), text]).optional(),
    timeout: z.union([z.int(), text]).optional(),
    setenv: setenv.optional(),
  }),
]);
const steps = ["bootstrap", "install", "startup", "run", "shutdown", "recover"] as const;
const level = text.regex(/^(none|owner|all)$/i);
const KitRecipe = z.strictObject({
  recipeformatversion: z.literal("2020-01-25"),
  componentname: text.regex(/^[a-zA-Z0-9-_.]+$/).max(128),
  componentversion: text.max(64),
  componentdescription: text.optional(),
  componentpublisher: text.optional(),
  componenttype: text.regex(/^aws\.greengrass\.(nucleus|generic|plugin|lambda)$/i).optional(),
  componentconfiguration: z.object({ defaultconfiguration: z.looseObject({}).optional() }).optional(),
  componentdependencies: z
    .record(
      text.regex(/^[a-zA-Z0-9-_.]+$/),
      z.looseObject({ versionrequirement: text, dependencytype: text.regex(/^(soft|hard)$/i).optional() }),
    )
    .optional(),
  manifests: z.array(
    z.object({
      platform: z.record(text, text),
      lifecycle: z.object({
        setenv: setenv.optional(),
        ...Object.fromEntries(steps.map((name) => [name, step.optional()])),
      }),
      artifacts: z.array(
        z.object({
          uri: text,
          unarchive: text.regex(/^(zip|none)$/i).optional(),
          permission: z.object({ read: level.optional(), execute: level.optional() }).optional(),
        }),
      ),
    }),
  ),
});

const components = findSources(checkout).filter(({ kind }) => kind === "component");

test("each component's folder is one of the kit's, and its configuration says the component's own name and version", () => {
  expect(components.map(({ folder }) => folder).sort()).toEqual(
    readdirSync(join(checkout, "components"))
      .map((name) => `components/${name}`)
      .sort(),
  );
  for (const { component, version, folder } of components) {
    const config = Config.parse(JSON.parse(readFileSync(join(checkout, folder, "gdk-config.json"), "utf8")));
    expect(Object.keys(config.component)).toEqual([component]);
    expect(config.component[component]?.version).toBe(version);
    expect(config.component[component]?.build.custom_build_command.at(-1)).toBe(folder);
    // The kit looks for this name, and goes by that of the file that it finds behind it.
    expect(realpathSync(join(checkout, folder, "recipe.yaml"))).toBe(
      join(realpathSync(checkout), "recipes", `${component}.yaml`),
    );
  }
});

test.each(components)("the recipe of $component is one that the kit takes and can publish", (source) => {
  const { component, version, artifact } = source;
  const written = gdkRecipeText(renderRecipe(checkout, component, version).recipe, artifact);
  expect(Buffer.byteLength(written)).toBeLessThanOrEqual(RECIPE_BYTES_MAX);
  const kit = KitRecipe.parse(lowerKeys(parse(written, { version: "1.1" })));
  expect(kit).toMatchObject({ componentname: component, componentversion: version });
  const names = kit.manifests.flatMap(({ artifacts }) => artifacts.map(({ uri }) => basename(uri)));
  // It keeps them in one folder, and uploads each under that name alone.
  expect(names.sort()).toEqual(platforms.map((platform) => `${gdkArtifact(artifact, platform)}.zip`).sort());
  for (const { lifecycle, artifacts } of kit.manifests) {
    const folder = basename(artifacts[0]?.uri ?? "", ".zip");
    expect(JSON.stringify(lifecycle)).toContain(`{artifacts:decompressedPath}/${folder}/main.mjs`);
    expect(JSON.stringify(lifecycle)).not.toContain(`/${artifact}/`);
  }
});

test("a recipe that the kit could not publish is refused with what it lacks", () => {
  const [source] = components;
  if (source === undefined) throw new Error("there is no component");
  const { recipe } = renderRecipe(checkout, source.component, source.version);
  const [first] = recipe.manifests;
  if (first === undefined) throw new Error("there is no manifest");
  const other = { ...recipe, manifests: [{ ...first, platform: { os: "linux", architecture: "x86" } }] };
  expect(() => gdkRecipeText(other, source.artifact)).toThrow(
    /manifest 1 .* is for no architecture that is built/,
  );
  expect(() => gdkRecipeText({ ...recipe, lifecycle: {} }, source.artifact)).toThrow(
    /no lifecycle for all of them/,
  );
});

function lowerKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, each]) => [key.toLowerCase(), lowerKeys(each)]),
  );
}
