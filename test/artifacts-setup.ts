import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAll } from "../pipeline/build/build.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { hostPlatform } from "../pipeline/build/platform.ts";

/**
 * Global set-up of the tests that run bundles: builds everything once for this machine, into `dist/`. What is not yet
 * released is built too; whether the list of releases agrees is the build's own business.
 */
export async function setup(): Promise<void> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const platform = hostPlatform();
  if (platform === undefined)
    throw new Error(
      `there are no artifacts for ${process.platform} ${process.arch}; run these tests on Linux, x64 or arm64`,
    );
  await buildAll({
    root,
    platforms: [platform],
    allowUnreleased: true,
    cacheFolder: cacheFolder(root, process.env),
  });
}
