import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import { BuildManifest } from "../../pipeline/build/build-manifest.ts";

export class BuildFailed extends CoalmineError {
  readonly code = "ERR_BUILD_FAILED";
}

/** Builds this checkout, which has to be released under the versions that it says; `signal` ends it before it is done. */
export async function buildCheckout(
  root: string,
  cache: string,
  signal: AbortSignal,
): Promise<BuildManifest> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "pipeline/build/main.ts")], {
      cwd: root,
      env: { ...process.env, COALMINE_CACHE: cache },
      stdio: ["ignore", "ignore", "pipe"],
      signal,
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4000);
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve()
        : reject(new BuildFailed(`this checkout cannot be built: ${said.trim() || `exit ${code}`}`)),
    );
  });
  return BuildManifest.parse(JSON.parse(readFileSync(join(root, "dist/build.json"), "utf8")));
}
