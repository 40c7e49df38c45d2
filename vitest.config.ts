import { defineConfig } from "vitest/config";
import LongestFirst from "./test/longest-first.ts";

/**
 * Limits are for a machine of two cores that is busy with the tests beside it: a test that needs seconds by itself may
 * take many then. What must be quick is measured in `bench/`.
 */
const patience = { testTimeout: 120_000, hookTimeout: 300_000 };

/** One project for what stands beside its source, one for what proves the parts together. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          ...patience,
          name: "unit",
          // A worker runs file after file: what they import is loaded once. A test that leaves something behind
          // fails the next one, as it would a component.
          isolate: false,
          sequence: { groupOrder: 0 },
          include: [
            "{packages,components}/*/src/**/*.test.ts",
            "components/*/test/**/*.test.ts",
            "{pipeline,simulator,infra,api,commissioning,console,cli,models,bench}/**/*.test.ts",
            // It reads sources alone, and every push waits for it: nothing has to be built first.
            "test/tidy.test.ts",
          ],
          exclude: ["**/node_modules/**", "**/dist/**", "**/.coalmine/**"],
        },
      },
      {
        extends: true,
        // They start whole systems, each in folders and on ports of its own, of one build.
        test: {
          ...patience,
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: ["test/tidy.test.ts"],
          globalSetup: "./test/build-once.ts",
          sequence: { groupOrder: 1 },
        },
      },
    ],
    reporters: ["default", "./test/closing-line.ts"],
    server: { deps: { external: [/\/dist\//] } },
  },
});
