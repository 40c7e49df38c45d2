import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BuildError } from "./build-error.ts";
import { lockedNode } from "./node-version.ts";
import { hostPlatform, type Platform } from "./platform.ts";

const run = promisify(execFile);
const BINARY_BYTES_MAX = 400 * 1024 * 1024;

/**
 * `bin/node` for one platform: this machine's from its installed package, another's from the same package fetched at
 * the version of the lockfile, checked against its integrity and kept in `cacheFolder`.
 */
export function nodeBinary(root: string, platform: Platform, cacheFolder: string): Promise<Uint8Array> {
  return nodeFile("bin/node", root, platform, cacheFolder);
}

/** What Node and the libraries in it are licensed under: the same text for every platform. */
export async function nodeLicence(root: string, platform: Platform, cacheFolder: string): Promise<string> {
  return new TextDecoder().decode(await nodeFile("LICENSE", root, hostPlatform() ?? platform, cacheFolder));
}

async function nodeFile(
  name: string,
  root: string,
  platform: Platform,
  cacheFolder: string,
): Promise<Uint8Array> {
  const installed = join(root, `node_modules/node-${platform}`, name);
  if (platform === hostPlatform() && existsSync(installed)) return readFile(installed);
  const tarball = await packedNode(root, platform, cacheFolder);
  const { stdout } = await run("tar", ["-xzOf", tarball, `package/${name}`], {
    encoding: "buffer",
    maxBuffer: BINARY_BYTES_MAX,
  });
  return stdout;
}

async function packedNode(root: string, platform: Platform, cacheFolder: string): Promise<string> {
  const { version, integrity } = lockedNode(root, platform);
  const name = `node-${platform}@${version}`;
  const kept = join(cacheFolder, `node-${platform}-${version}.tgz`);
  if (existsSync(kept) && (await hasIntegrity(kept, integrity))) return kept;
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, "fetching-"));
  try {
    await run("npm", ["pack", name, "--pack-destination", folder, "--silent"], { cwd: folder }).catch(
      (failure: unknown) => {
        throw new BuildError(
          "ERR_BUILD_SOURCE",
          `${name} could not be fetched; give this machine a way to the registry, or build for its own platform alone`,
          { cause: failure },
        );
      },
    );
    const [file] = await readdir(folder);
    const fetched = join(folder, file ?? "");
    if (file === undefined || !(await hasIntegrity(fetched, integrity)))
      throw new BuildError(
        "ERR_NODE_INTEGRITY",
        `${name} was fetched but is not what the lockfile says (${integrity}); find out who changed it before building`,
      );
    await rename(fetched, kept);
    return kept;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function hasIntegrity(file: string, integrity: string): Promise<boolean> {
  const [algorithm = "", digest] = integrity.split("-", 2);
  return (
    createHash(algorithm)
      .update(await readFile(file))
      .digest("base64") === digest
  );
}
