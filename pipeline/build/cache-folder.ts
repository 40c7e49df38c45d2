import { join } from "node:path";

/** Downloads and zips that are the same for every checkout: a clone that a hook makes is told to share one. */
export function cacheFolder(root: string, environment: NodeJS.ProcessEnv): string {
  return environment["COALMINE_CACHE"] ?? join(root, ".coalmine/cache");
}
