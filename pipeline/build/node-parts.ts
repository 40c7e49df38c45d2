import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { BuildError } from "./build-error.ts";
import { hostPlatform } from "./platform.ts";

/** What `process.versions` has beside libraries: Node itself, and numbers of interfaces. */
const NO_LIBRARIES = new Set(["node", "modules", "napi"]);

/** The libraries within the pinned Node's binary, as this machine's says them: the same release for every platform. */
export async function nodeParts(root: string): Promise<Record<string, string>> {
  const binary = join(root, `node_modules/node-${hostPlatform() ?? "linux-x64"}/bin/node`);
  if (!existsSync(binary))
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${binary} is not there, so nobody can say what Node contains; build on Linux, x64 or arm64, after npm ci`,
    );
  const { stdout } = await promisify(execFile)(binary, ["-p", "JSON.stringify(process.versions)"]);
  const versions = z.record(z.string(), z.string()).parse(JSON.parse(stdout));
  return Object.fromEntries(
    // One without a version was left out when this Node was built.
    Object.entries(versions).filter(([name, version]) => version !== "" && !NO_LIBRARIES.has(name)),
  );
}
