import { dirname } from "node:path";
import { componentNames } from "@coalmine/contract";
import { buildArtifacts } from "../../pipeline/build/artifacts.ts";
import { cacheFolder } from "../../pipeline/build/cache-folder.ts";
import { platforms } from "../../pipeline/build/platform.ts";
import { findSources } from "../../pipeline/build/sources.ts";

/** The size of inference's artifact, zipped: of the larger platform's. */
export async function artifactBytes(): Promise<number> {
  const root = dirname(dirname(import.meta.dirname));
  const source = findSources(root).find(({ component }) => component === componentNames.inference);
  if (source === undefined) throw new Error(`${root} has no sources of ${componentNames.inference}`);
  const { artifacts } = await buildArtifacts(root, source, platforms, cacheFolder(root, process.env));
  return Math.max(...artifacts.map(({ zip }) => zip.length));
}
