import { expect, test } from "vitest";
import { componentNames } from "./ids.ts";
import { ModelChoice, modelConfiguration, resetWithVersion } from "./model-choice.ts";

const choice = ModelChoice.parse({
  component: componentNames.bloodViscosityModel,
  version: "1.0.2",
  sha256: "a".repeat(64),
});

test.each([
  ["1.0.9", "version"],
  ["1.0.14", "version"],
  ["1.0.15", "componentVersion"],
  ["1.0.100", "componentVersion"],
  ["1.1.0", "componentVersion"],
  ["10.0.0", "componentVersion"],
])("inference %s is told the model's version as %s", (inference, leaf) => {
  const { component, version, sha256 } = choice;
  expect(modelConfiguration(choice, inference)).toEqual({ component, [leaf]: version, sha256 });
});

test("with its version inference gets its recipe's model back, and any program its rights [rollout-6.3]", () => {
  expect(resetWithVersion(componentNames.inference)).toEqual(["/accessControl", "/model"]);
  expect(resetWithVersion(componentNames.logManager)).toEqual(["/accessControl"]);
});
