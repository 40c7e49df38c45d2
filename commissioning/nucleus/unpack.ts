import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { messageOf } from "@coalmine/runtime";
import { unzipSync } from "fflate";
import { parse } from "yaml";
import * as z from "zod";
import { CommissioningRefused } from "../refusal.ts";

export const INSTALLER = join("lib", "Greengrass.jar");
const RECIPE = join("conf", "recipe.yaml");
const Recipe = z.object({ ComponentName: z.literal("aws.greengrass.Nucleus"), ComponentVersion: z.string() });

/** Unpacks the nucleus into a folder that is its own; resolves with its version. */
export async function unpackNucleus(archive: string, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  const entries = unzipped(archive, await readFile(archive));
  for (const [name, bytes] of Object.entries(entries)) {
    const path = normalize(join(folder, name));
    if (!path.startsWith(folder + sep)) throw refused(archive, `${name} would lie outside its folder`);
    if (name.endsWith("/")) continue;
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, bytes, { mode: name.startsWith("bin/") ? 0o755 : 0o644 });
  }
  const recipe = Recipe.safeParse(parse(await readFile(join(folder, RECIPE), "utf8").catch(() => "")));
  if (entries[INSTALLER] === undefined || !recipe.success)
    throw refused(archive, `it lacks ${INSTALLER}, or ${RECIPE} with its version`);
  return recipe.data.ComponentVersion;
}

function unzipped(archive: string, bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch (failure) {
    throw refused(archive, messageOf(failure));
  }
}

function refused(archive: string, why: string): CommissioningRefused {
  return new CommissioningRefused(
    "nucleus",
    `${archive} is no archive of AWS's nucleus (${why}); take the one that AWS offers as a download, and record its SHA-256`,
  );
}
