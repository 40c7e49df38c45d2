import { join } from "node:path";
import * as z from "zod";
import { BuildError } from "./build-error.ts";
import { type Platform, platforms } from "./platform.ts";
import { readJson } from "./read-json.ts";

/** How many times one Node can be packed anew. */
const PACKAGINGS_MAX = 1000;

const Lockfile = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/** The lockfile's entry for the package that brings Node for `platform`. */
export function lockedNode(root: string, platform: Platform): { version: string; integrity: string } {
  const name = `node-${platform}`;
  const { version, integrity } =
    readJson(Lockfile, join(root, "package-lock.json")).packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `package-lock.json has no version and integrity for ${name}; pin it in optionalDependencies and install`,
    );
  return { version, integrity };
}

/** The one Node version of all platforms. */
export function pinnedNode(root: string): string {
  const versions = new Map(platforms.map((platform) => [platform, lockedNode(root, platform).version]));
  const [version, ...others] = new Set(versions.values());
  if (version === undefined || others.length > 0)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `the platforms' Node versions differ (${[...versions].map((each) => each.join(" ")).join(", ")}); pin the same for each`,
    );
  return version;
}

/**
 * Node's version with a packaging number, as a version that Greengrass orders: the patch is Node's times a thousand
 * plus the packaging number, so 24.21.3 packed for the second time (number 1) is 24.21.3001. A `+build` would not be
 * ordered, and a `-prerelease` would fit no range.
 */
export function nodeRuntimeVersion(nodeVersion: string, packaging: number): string {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(nodeVersion);
  const [, major, minor, patch] = match ?? [];
  if (patch === undefined || packaging >= PACKAGINGS_MAX || Number(patch) >= PACKAGINGS_MAX)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `Node ${nodeVersion} with packaging number ${packaging} makes no component version; pin a release, and keep both below ${PACKAGINGS_MAX}`,
    );
  return `${major}.${minor}.${Number(patch) * PACKAGINGS_MAX + packaging}`;
}

/** The packaging number within a version that `nodeRuntimeVersion` made. */
export function packagingOf(version: string): number {
  return Number(version.split(".")[2]) % PACKAGINGS_MAX;
}
