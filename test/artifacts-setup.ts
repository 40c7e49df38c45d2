import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildHere, type OwnRelease } from "../cli/simulate/own-release.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { coreDeviceProgram } from "../pipeline/build/core-device-program.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Builds everything for this machine, into `dist/`, for what runs bundles. What is not yet released is built too; whether
 * the list of releases agrees is the build's own business.
 */
export function setup(): Promise<OwnRelease> {
  return buildHere(root, cacheFolder(root, process.env));
}

/** The bundle that process devices are started from. */
export function coreDevice(): Promise<string> {
  return coreDeviceProgram(root, cacheFolder(root, process.env));
}
