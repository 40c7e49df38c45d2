import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "./build-error.ts";
import { bundleProgram } from "./bundle.ts";
import { keepNewest, markUsed } from "./cache-entries.ts";
import { nativeFiles } from "./native-modules.ts";
import { hostPlatform } from "./platform.ts";

const SOURCE = "simulator/core-device/main.ts";
/** A device reads parts of its bundle as it needs them: far more stay than are made while one runs. */
const PROGRAMS_KEPT_MAX = 20;

/**
 * The bundle that simulated core devices of this machine are started from, as a file for Node: from the cache where the
 * same sources were bundled before, since its libraries take a bundler seconds.
 */
export async function coreDeviceProgram(root: string, cacheFolder: string): Promise<string> {
  const programs = join(cacheFolder, "core-devices");
  const folder = join(programs, await keyOf(root));
  const program = join(folder, "main.mjs");
  if (existsSync(program)) {
    await markUsed(folder);
    return program;
  }
  const platform = hostPlatform();
  if (platform === undefined)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${SOURCE} cannot be bundled for ${process.platform}-${process.arch}: its native modules are not known there; use linux-x64 or linux-arm64`,
    );
  const { files, inputs } = await bundleProgram(root, join(root, SOURCE), "own folder");
  const writing = join(programs, `writing-${randomUUID()}`);
  await mkdir(writing, { recursive: true });
  for (const { name, bytes } of [...files, ...(await nativeFiles(root, inputs, platform))])
    await writeFile(join(writing, name), bytes);
  try {
    await rename(writing, folder);
  } catch (failure) {
    await rm(writing, { recursive: true });
    // Somebody else was quicker, with the same bytes.
    if (!existsSync(program)) throw failure;
  }
  await keepNewest(programs, PROGRAMS_KEPT_MAX);
  return program;
}

/** By the table of imports nothing else of ours can be in it; what is installed is what the lockfile says. */
async function keyOf(root: string): Promise<string> {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
  const files = await Promise.all(
    ["packages", "simulator", "pipeline/build"].map((part) => sourcesBelow(root, part)),
  );
  for (const file of ["package-lock.json", ...files.flat()])
    hash.update(JSON.stringify(file)).update(await readFile(join(root, file)));
  return hash.digest("hex");
}

async function sourcesBelow(root: string, part: string): Promise<string[]> {
  const found = await readdir(join(root, part), { recursive: true });
  return found
    .filter((name) => /(?<!\.test)\.ts$|\.json$/.test(name))
    .map((name) => join(part, name))
    .sort();
}
