import { defineConfig } from "vitest/config";

/** One project for what stands beside its source, one for what proves the parts together. */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "{packages,components}/*/src/**/*.test.ts",
            "{pipeline,simulator,infra,api,commissioning,cli,models,bench}/**/*.test.ts",
          ],
          exclude: ["**/node_modules/**", "**/dist/**"],
        },
      },
      { extends: true, test: { name: "together", include: ["test/**/*.test.ts"], testTimeout: 60_000 } },
    ],
    reporters: ["default", "./test/closing-line.ts"],
    server: { deps: { external: [/\/dist\//] } },
  },
});
