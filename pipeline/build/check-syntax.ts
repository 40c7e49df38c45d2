import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { BuildError } from "./build-error.ts";

/**
 * Refuses a bundle that Node cannot read: a bundler does not look at what it was told to put before everything, and
 * two declarations of one name are an error there.
 */
export async function checkSyntax(file: string): Promise<void> {
  await promisify(execFile)(process.execPath, ["--check", file]).catch((failure: unknown) => {
    const why = /^SyntaxError: .*$/m.exec(String(failure))?.[0] ?? String(failure);
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${file} cannot be read by Node: ${why}; look for that name in the bundle and in what is put before it`,
      { cause: failure },
    );
  });
}
