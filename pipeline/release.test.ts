import { componentNames } from "@coalmine/contract";
import { resetWithVersion } from "@coalmine/contract/model-choice";
import { expect, test } from "vitest";
import { BuildManifest } from "./build/build-manifest.ts";
import { changesOf, ReleaseManifest, releaseOf } from "./release.ts";
import { type ComponentSet, nextDeployment } from "./rollout/deployment.ts";

const sha256 = "a".repeat(64);
const built = (component: string, version: string, kind: string) => ({
  component,
  version,
  kind,
  released: true,
  recipe: sha256,
  recipeFile: "r",
  artifacts: {},
});
const build = BuildManifest.parse({
  portsVersion: 1,
  nodeVersion: "24.0.0",
  platforms: [],
  components: [
    built(componentNames.inference, "1.0.1", "component"),
    built(componentNames.bloodViscosityModel, "1.1.0", "model"),
  ],
});
const model = { component: componentNames.bloodViscosityModel, version: "1.1.0", sha256 };

test("a release pins what was built and tells inference its model, and is read as it was written", () => {
  const release = releaseOf(build, [{ ...model, file: "model.onnx" }], "abcdef1", { policy: "version: 1" });
  expect(ReleaseManifest.parse(JSON.parse(JSON.stringify(release)))).toEqual(release);
  expect(release).toMatchObject({ model, components: { [componentNames.inference]: "1.0.1" } });
  expect(() => releaseOf(build, [{ ...model, version: "2.0.0" }], "abcdef1")).toThrow(/build again/);
  expect(() => releaseOf(build, [model, model], "abcdef1")).toThrow(/runs one model/);
});

const reset = [...resetWithVersion(componentNames.inference)];

test("what others configured and what is not ours stays; what is ours and not in the release needs the flag", () => {
  const release = releaseOf(build, [model], "abcdef1");
  const running = {
    [componentNames.inference]: { version: "1.0.0", merge: { batch: 8, model: { version: "1.0.0" } } },
    [componentNames.bloodViscosityModel]: { version: "1.0.0" },
    "aws.greengrass.Nucleus": { version: "2.15.0" },
  };
  const changes = changesOf(release, running);
  expect(nextDeployment(running, changes, { allowRemoval: false }).components).toEqual({
    [componentNames.inference]: { version: "1.0.1", merge: { batch: 8, model }, reset },
    [componentNames.bloodViscosityModel]: { version: "1.1.0" },
    "aws.greengrass.Nucleus": { version: "2.15.0" },
  });
  const more = { ...running, [componentNames.logManager]: { version: "1.0.0" } };
  expect(() => nextDeployment(more, changesOf(release, more), { allowRemoval: false })).toThrow(
    /would remove coalmine.LogManager/,
  );
});

test("a version that changes brings its recipe's rights with it; one that stays is left as it runs [rollout-6.3]", () => {
  const release = releaseOf(build, [], "abcdef1");
  const { inference } = componentNames;
  const next = (running: ComponentSet) => changesOf(release, running)[inference];
  expect(next({})).toEqual({ version: "1.0.1" });
  expect(next({ [inference]: { version: "1.0.0" } })).toEqual({ version: "1.0.1", reset });
  expect(next({ [inference]: { version: "1.0.1", reset } })).toEqual({
    version: "1.0.1",
    reset,
  });
  expect(next({ [inference]: { version: "1.0.1" } })).toEqual({ version: "1.0.1" });
});
