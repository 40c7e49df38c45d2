import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { componentNames, topics } from "@coalmine/contract";
import { interpolate, isJsonObject, maxSatisfying, parseSteps, selectManifest } from "@coalmine/recipe";
import { expect, test } from "vitest";
import * as z from "zod";
import { checkout } from "./fixture-checkout.ts";
import { recipeDigest, renderRecipe, withBucket } from "./recipe-template.ts";
import { findSources } from "./sources.ts";

const sources = findSources(checkout);
const components = sources.filter(({ kind }) => kind === "component");
const rendered = (component: string) => {
  const version = sources.find((source) => source.component === component)?.version ?? "";
  return renderRecipe(checkout, component, version).recipe;
};

test("there is one recipe for each component, model and Node, and no other", () => {
  const recipes = readdirSync(join(checkout, "recipes")).filter((name) => name.endsWith(".yaml"));
  expect(recipes.map((name) => name.replace(/\.yaml$/, "")).sort()).toEqual(
    sources.map(({ component }) => component).sort(),
  );
  expect(sources.map(({ component }) => component).sort()).toEqual(Object.values(componentNames).sort());
});

test.each(readdirSync(join(checkout, "components")))(
  "the default configuration of %s is one that it accepts",
  async (folder) => {
    const source = components.find((each) => each.folder === `components/${folder}`);
    const module: unknown = await import(
      /* @vite-ignore */ pathToFileURL(join(checkout, "components", folder, "src/config.ts")).href
    );
    const { Config } = z
      .object({ Config: z.custom<z.ZodType>((value) => value instanceof z.ZodType) })
      .parse(module);
    const { accessControl: _, ...defaults } = rendered(source?.component ?? "").configuration;
    expect(Config.safeParse(defaults).error?.issues).toBeUndefined();
  },
);

const context = (component: string, dependencies: readonly string[]) => ({
  component,
  configuration: () => ({}),
  artifactsPath: (each: string) => `/gg/artifacts/${each}`,
  decompressedPath: (each: string) => `/gg/unarchived/${each}`,
  workPath: (each: string) => `/gg/work/${each}`,
  kernelRootPath: "/gg",
  thingName: "press-1",
  directDependencies: new Set(dependencies),
});

test.each(components)(
  "$component runs its main under NodeRuntime on both platforms",
  ({ component, artifact, version }) => {
    const recipe = rendered(component);
    for (const [architecture, platform] of [
      ["amd64", "linux-x64"],
      ["aarch64", "linux-arm64"],
    ] as const) {
      const selected = selectManifest(recipe, { os: "linux", architecture });
      expect(selected?.artifacts.map(({ uri }) => uri)).toEqual([
        `s3://BUCKET_NAME/${component}/${version}/${platform}/${artifact}.zip`,
      ]);
      const lifecycle = interpolate(
        selected?.lifecycle ?? {},
        context(component, Object.keys(recipe.dependencies)),
      );
      const { steps, faults } = parseSteps(isJsonObject(lifecycle) ? lifecycle : {});
      expect(faults).toEqual({});
      expect(Object.keys(steps)).toEqual(["run"]);
      expect(steps.run?.script).toBe(
        `exec "/gg/unarchived/coalmine.NodeRuntime/node/bin/node" --max-semi-space-size=2 --expose-gc "/gg/unarchived/${component}/${artifact}/main.mjs"`,
      );
      expect(steps.run?.setenv).toEqual({
        COALMINE_COMPONENT: component,
        COALMINE_COMPONENT_VERSION: version,
        COALMINE_GREENGRASS_ROOT: "/gg",
        MALLOC_ARENA_MAX: "1",
        MALLOC_MMAP_THRESHOLD_: "65536",
        MALLOC_TRIM_THRESHOLD_: "65536",
      });
    }
    expect(selectManifest(recipe, { os: "linux", architecture: "x86" })).toBeUndefined();
  },
);

test.each(components)("$component is satisfied by the versions of this checkout", ({ component }) => {
  for (const [name, { versionRequirement }] of Object.entries(rendered(component).dependencies)) {
    const version = sources.find((source) => source.component === name)?.version ?? "2.0.0";
    expect([name, maxSatisfying([version], versionRequirement)]).toEqual([name, version]);
  }
});

const Policies = z.record(
  z.string(),
  z.record(z.string(), z.object({ operations: z.array(z.string()), resources: z.array(z.string()) })),
);
/** service operation resource, sorted. */
function rights(component: string): string[] {
  return Object.entries(Policies.parse(rendered(component).configuration["accessControl"]))
    .flatMap(([service, policies]) =>
      Object.values(policies).flatMap(({ operations, resources }) =>
        operations.flatMap((operation) => resources.map((resource) => `${service} ${operation} ${resource}`)),
      ),
    )
    .sort();
}
const publish = (topic: string) => `aws.greengrass.ipc.pubsub aws.greengrass#PublishToTopic ${topic}`;
const subscribe = (topic: string) => `aws.greengrass.ipc.pubsub aws.greengrass#SubscribeToTopic ${topic}`;
const { sensorReader, inference, streamUploader, logManager, nodeRuntime, bloodViscosityModel } =
  componentNames;

test.each<[string, string[]]>([
  [
    sensorReader,
    [
      publish(topics.measurements),
      subscribe(topics.acknowledgements),
      subscribe(topics.instrumentRequests),
      publish(topics.instrumentAnswers),
    ],
  ],
  [
    inference,
    [
      publish(topics.measurements),
      publish(topics.shadowResults),
      publish(topics.modelReport),
      subscribe(topics.measurements),
      subscribe(topics.acknowledgements),
    ],
  ],
  [
    streamUploader,
    [
      subscribe(topics.measurements),
      subscribe(topics.healthOfAll),
      publish(topics.acknowledgements),
      `aws.greengrass.ipc.mqttproxy aws.greengrass#PublishToIoTCore ${topics.heartbeatOfAll}`,
      // Where a sink of its configuration sends them.
      "aws.greengrass.ipc.mqttproxy aws.greengrass#PublishToIoTCore coalmine/+/measurements",
    ],
  ],
  // Where somebody who looks at one component's lines hears them.
  [logManager, [publish(topics.logs("*"))]],
])("%s may use the topics of the contract that it needs, and no others", (component, expected) => {
  expect(rights(component)).toEqual([publish(topics.health(component)), ...expected].sort());
});

test("no two policies of a device have one name", () => {
  const names = components.flatMap(({ component }) =>
    Object.values(Policies.parse(rendered(component).configuration["accessControl"])).flatMap((policies) =>
      Object.keys(policies),
    ),
  );
  expect(new Set(names).size).toBe(names.length);
});

test("models and Node have nothing to run and no configuration, so that a deployment waits for neither", () => {
  for (const { component } of sources.filter(({ kind }) => kind !== "component")) {
    const recipe = rendered(component);
    expect(recipe.configuration).toEqual({});
    expect(selectManifest(recipe, { os: "linux", architecture: "aarch64" })?.lifecycle).toEqual({});
  }
});

test("inference depends softly on its model, names it nowhere in its lifecycle, and starts on one that exists", () => {
  const recipe = rendered(inference);
  expect(recipe.dependencies[bloodViscosityModel]?.dependencyType).toBe("SOFT");
  expect(recipe.dependencies[nodeRuntime]?.dependencyType).toBe("HARD");
  expect(JSON.stringify(recipe.lifecycle)).not.toContain("configuration:");
  const manifest = JSON.parse(
    readFileSync(join(checkout, "models/blood-viscosity/manifest.json"), "utf8"),
  ) as { version: string; sha256: string };
  const { componentVersion: version, sha256 } = z
    .object({ componentVersion: z.string(), sha256: z.string() })
    .parse(recipe.configuration["model"]);
  // An older default stays, or else a new model would make a new inference, and restart it.
  if (version === manifest.version) expect(sha256).toBe(manifest.sha256);
  else expect(maxSatisfying([version, manifest.version], "*")).toBe(manifest.version);
});

test("the digest of a recipe does not see where artifacts lie nor what the cloud adds, and sees all else", () => {
  const { text, recipe } = renderRecipe(checkout, sensorReader, "1.0.0");
  const inBucket = withBucket(text, "coalmine-artifacts-eu");
  expect(inBucket).toContain(`s3://coalmine-artifacts-eu/${sensorReader}/1.0.0/linux-x64/sensor-reader.zip`);
  expect(inBucket).not.toContain("BUCKET_NAME");
  const ofCloud = {
    ...recipe,
    manifests: recipe.manifests.map((manifest) => ({
      ...manifest,
      artifacts: manifest.artifacts.map((artifact) => ({
        ...artifact,
        uri: artifact.uri.replace("BUCKET_NAME", "other"),
        digest: "abc",
        algorithm: "SHA-256",
      })),
    })),
  };
  expect(recipeDigest(ofCloud)).toBe(recipeDigest(recipe));
  expect(recipeDigest({ ...recipe, publisher: "else" })).not.toBe(recipeDigest(recipe));
  expect(recipeDigest(renderRecipe(checkout, sensorReader, "1.0.1").recipe)).not.toBe(recipeDigest(recipe));
});
