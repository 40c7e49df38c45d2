import { maxSatisfying, parseRecipe } from "@coalmine/recipe";
import { expect, test } from "vitest";
import { resolveDependencies, type Candidates } from "./dependency-resolution.ts";
import { DeploymentError } from "./deployment-error.ts";

type World = Record<string, Record<string, Record<string, string>>>;

/** name → version → dependency → range. */
function candidatesOf(world: World, type = "aws.greengrass.generic"): Candidates {
  return {
    async choose(name, constraints) {
      const version = maxSatisfying(Object.keys(world[name] ?? {}), Object.values(constraints));
      if (version === undefined) throw new DeploymentError(["NO_AVAILABLE_COMPONENT_VERSION"], name);
      const dependencies = Object.entries(world[name]?.[version] ?? {});
      const recipe = parseRecipe(
        JSON.stringify({
          RecipeFormatVersion: "2020-01-25",
          ComponentName: name,
          ComponentVersion: version,
          ComponentType: type,
          ComponentDependencies: Object.fromEntries(
            dependencies.map(([other, VersionRequirement]) => [other, { VersionRequirement }]),
          ),
          Manifests: [{}],
        }),
        name,
      );
      return { version, recipe };
    },
  };
}

const root = (component: string, version: string) => ({ component, version, group: "thinggroup/g" });
async function versionsOf(world: World, ...roots: ReturnType<typeof root>[]) {
  const resolved = await resolveDependencies(roots, candidatesOf(world));
  return Object.fromEntries([...resolved].map(([name, { version }]) => [name, version]));
}

test("a later requirement chooses an earlier component again, and what it no longer needs goes [core-device-6.14]", async () => {
  const world: World = {
    A: { "1.0.0": { Lib: "*", B: "*" } },
    B: { "1.0.0": { Lib: "<2.0.0" } },
    Lib: { "1.0.0": {}, "2.0.0": { Only2: "*" } },
    Only2: { "1.0.0": {} },
  };
  expect(await versionsOf(world, root("A", "1.0.0"))).toEqual({ A: "1.0.0", B: "1.0.0", Lib: "1.0.0" });
});

test("components that need each other are refused by name [core-device-6.15]", async () => {
  const world: World = { A: { "1.0.0": { B: "*" } }, B: { "1.0.0": { A: "*" } } };
  await expect(versionsOf(world, root("A", "1.0.0"))).rejects.toMatchObject({
    codes: ["COMPONENT_CIRCULAR_DEPENDENCY_ERROR"],
    message: expect.stringContaining("A → B → A"),
  });
});

test("two nuclei are refused [core-device-6.16]", async () => {
  const world: World = { A: { "1.0.0": {} }, B: { "1.0.0": {} } };
  const resolving = resolveDependencies(
    [root("A", "1.0.0"), root("B", "1.0.0")],
    candidatesOf(world, "aws.greengrass.nucleus"),
  );
  await expect(resolving).rejects.toMatchObject({ codes: ["MULTIPLE_NUCLEUS_RESOLVED_ERROR"] });
});
