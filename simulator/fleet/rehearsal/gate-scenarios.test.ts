import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { gateScenarios, scenariosOf } from "./gate-scenarios.ts";

test("the full gate plays what the default one does, and more", () => {
  expect(scenariosOf("full")).toEqual(expect.arrayContaining([...scenariosOf("default"), "upgrade-at-rest"]));
  expect(scenariosOf("full").length).toBeGreaterThan(scenariosOf("default").length);
});

test("a scenario that cannot be played is a check that fails, and the next is played all the same", async () => {
  const told: string[] = [];
  const names = ["upgrade-at-rest", "deferring-component"];
  const absent = { running: "/absent", candidate: "/absent", seed: "1", artifactFolder: "/absent" };
  const outcomes = await gateScenarios(names, absent, systemClock, (sentence) => told.push(sentence));
  expect(told).toHaveLength(2);
  expect(outcomes.flatMap(({ checks }) => checks)).toEqual(
    names.map((scenario) => ({
      scenario,
      name: "the scenario came to its end",
      ok: false,
      found: expect.stringMatching(/ERR_RELEASE_UNREADABLE: \/absent\/build\.json is not there/),
    })),
  );
});
