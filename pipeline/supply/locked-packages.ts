import { join } from "node:path";
import * as z from "zod";
import { BuildError } from "../build/build-error.ts";
import { readJson } from "../build/read-json.ts";

const names = z.record(z.string(), z.string()).default({});
const Entry = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  /** Of a workspace's link: the folder it points to. */
  resolved: z.string().optional(),
  link: z.boolean().default(false),
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
});
type Entry = z.infer<typeof Entry>;
const Lockfile = z.object({ packages: z.record(z.string(), Entry) });

/** A package as the lockfile has it. */
export interface LockedPackage {
  /** Its folder from the root: `node_modules/zod`, or `packages/contract` where it is ours. */
  readonly folder: string;
  /** Where it lies from here: elsewhere, if packages are linked from another checkout. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  readonly isOurs: boolean;
  /** An SPDX expression; undefined where the package states none. */
  readonly licence: string | undefined;
  /** Of the package's tarball, as npm writes it. */
  readonly integrity: string | undefined;
  /** Folders of the packages that it asks for, as npm finds them from there. */
  readonly needs: readonly string[];
}

/** The packages that have one of these files (paths from the root), by folder; the component's own folder is none. */
export function packagesOf(root: string, files: Iterable<string>): LockedPackage[] {
  const { packages } = readJson(Lockfile, join(root, "package-lock.json"));
  const places = new Map<string, string>();
  for (const file of files) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+|^(?:\.\.\/.*)?packages\/[^/]+/.exec(file)?.[0];
    if (folder !== undefined) places.set(lockedFolder(folder, packages), folder);
  }
  const sorted = [...places].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([folder, place]) => {
    const entry = packages[folder];
    if (entry?.version === undefined)
      throw new BuildError(
        "ERR_BUILD_SOURCE",
        `package-lock.json has no version of ${folder}, which is bundled; run npm install, and commit the lockfile`,
      );
    const isOurs = folder.startsWith("packages/");
    return {
      folder,
      place,
      name: entry.name ?? folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length),
      version: entry.version,
      isOurs,
      licence: entry.license ?? (isOurs ? packages[""]?.license : undefined),
      integrity: entry.integrity,
      needs: needsOf(folder, entry, packages),
    };
  });
}

/** Where packages are linked from another checkout, a bundler names them by the way there. */
function lockedFolder(folder: string, packages: Readonly<Record<string, Entry>>): string {
  for (let rest = folder; rest.includes("/"); rest = rest.slice(rest.indexOf("/") + 1))
    if (packages[rest] !== undefined) return rest;
  return folder;
}

/** As Node resolves a name: in the package's own `node_modules`, then in those of the folders above. */
function needsOf(folder: string, entry: Entry, packages: Readonly<Record<string, Entry>>): string[] {
  const wanted = { ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies };
  return Object.keys(wanted).flatMap((name) => {
    for (let place = folder; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/")))) {
      const found = place === "" ? `node_modules/${name}` : `${place}/node_modules/${name}`;
      const there = packages[found];
      if (there !== undefined) return [there.link ? (there.resolved ?? found) : found];
      if (place === "") return [];
    }
  });
}
