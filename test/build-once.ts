import type { TestProject } from "vitest/node";
import type { OwnRelease } from "../cli/simulate/own-release.ts";
import { coreDevice, setup as buildArtifacts } from "./artifacts-setup.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** What lies in `dist/` for this machine, built before the first file begins. No test writes there. */
    built: OwnRelease;
  }
}

/** Files that run beside each other share one build, and the core device's program out of the cache. */
export async function setup(project: TestProject): Promise<void> {
  const [built] = await Promise.all([buildArtifacts(), coreDevice()]);
  project.provide("built", built);
}
