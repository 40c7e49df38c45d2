import { expect, test } from "vitest";
import { resetWithVersion } from "@coalmine/contract/model-choice";
import { DeploymentRefused, diffOf, nextDeployment, rollbackDeployment } from "./deployment.ts";

const running = {
  "coalmine.Inference": { version: "1.0.0", merge: { batch: 1 } },
  "coalmine.LogManager": { version: "1.0.0" },
  "aws.greengrass.Cli": { version: "2.12.0" },
};

test("lays the changes over what runs, and tells the difference [rollout-6.1]", () => {
  const { components, diff } = nextDeployment(
    running,
    {
      "coalmine.Inference": { version: "1.0.1", merge: { batch: 1 } },
      "coalmine.LogManager": { version: "1.0.0", merge: { keepDays: 2 } },
      "coalmine.SensorReader": { version: "1.0.0" },
    },
    { allowRemoval: false },
  );
  expect(components["aws.greengrass.Cli"]).toEqual({ version: "2.12.0" });
  expect(diff).toEqual({
    added: ["coalmine.SensorReader"],
    changed: [{ name: "coalmine.Inference", from: "1.0.0", to: "1.0.1" }],
    reconfigured: ["coalmine.LogManager"],
    removed: [],
    unchanged: ["aws.greengrass.Cli"],
  });
});

test("equal settings in another order are no change [rollout-6.1]", () => {
  const from = { a: { version: "1", merge: { x: 1, y: { p: 1, q: 2 } } } };
  expect(diffOf(from, { a: { version: "1", merge: { y: { q: 2, p: 1 }, x: 1 } } }).unchanged).toEqual(["a"]);
});

test("a removal needs the flag [rollout-6.2]", () => {
  const removal = { "coalmine.LogManager": null };
  expect(() => nextDeployment(running, removal, { allowRemoval: false })).toThrow(DeploymentRefused);
  expect(() => nextDeployment(running, removal, { allowRemoval: false })).toThrow(
    /remove coalmine\.LogManager/,
  );
  expect(nextDeployment(running, removal, { allowRemoval: true }).diff.removed).toEqual([
    "coalmine.LogManager",
  ]);
});

test("going back sets what the candidate configured to the defaults first [rollout-5.1]", () => {
  const candidate = {
    "coalmine.Inference": { version: "1.0.1", merge: { batch: 8, depth: 2 } },
    "coalmine.LogManager": { version: "1.0.1" },
    "coalmine.New": { version: "1.0.0" },
  };
  expect(rollbackDeployment(running, candidate)).toEqual({
    "coalmine.Inference": { version: "1.0.0", merge: { batch: 1 }, reset: [""] },
    "coalmine.LogManager": { version: "1.0.0" },
    "aws.greengrass.Cli": { version: "2.12.0" },
  });
});

test("going back from a version that asked for its own rights gives those of the former one [rollout-6.3]", () => {
  const reset = [...resetWithVersion("coalmine.Inference")];
  const candidate = {
    "coalmine.Inference": { version: "1.0.1", merge: { batch: 1 }, reset },
    "coalmine.LogManager": { version: "1.0.0" },
  };
  expect(rollbackDeployment(running, candidate)).toMatchObject({
    "coalmine.Inference": { version: "1.0.0", merge: { batch: 1 }, reset },
    "coalmine.LogManager": { version: "1.0.0" },
  });
});
