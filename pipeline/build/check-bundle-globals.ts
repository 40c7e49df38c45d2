import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PORTS_VERSION } from "@coalmine/ports";
import * as z from "zod";
import { BuildError } from "./build-error.ts";

const child = fileURLToPath(new URL("./bundle-globals-child.ts", import.meta.url));
const IMPORT_TIMEOUT_MS = 30_000;

/**
 * Imports `component.mjs` in a process that has nothing but the allowed globals, and refuses it where that fails or
 * where it exports another version of the ports. This proves only what an import runs; the compiler sees the rest of
 * our own code.
 */
export async function checkBundleGlobals(file: string): Promise<void> {
  const refuse = (why: string, cause?: unknown) =>
    new BuildError("ERR_BUNDLE_NOT_PORTABLE", `${file} cannot be hosted: ${why}`, { cause });
  const { stdout } = await promisify(execFile)(process.execPath, [child, file], {
    timeout: IMPORT_TIMEOUT_MS,
    env: { PATH: process.env["PATH"] },
  }).catch((failure: unknown) => {
    throw refuse(`${firstErrorLine(failure)}; use the ports instead of the missing global`, failure);
  });
  const exported = z.object({ portsVersion: z.unknown(), start: z.string() }).parse(JSON.parse(stdout));
  if (exported.start !== "function")
    throw refuse(`it exports start as ${exported.start}; export a function start(ports)`);
  if (exported.portsVersion !== PORTS_VERSION)
    throw refuse(
      `it exports portsVersion ${String(exported.portsVersion)}, this build's is ${PORTS_VERSION}; export PORTS_VERSION as portsVersion`,
    );
}

/** Node prints the source line first; the sentence is on the line with the error's name. */
function firstErrorLine(failure: unknown): string {
  const { stderr } = z.object({ stderr: z.string() }).catch({ stderr: "" }).parse(failure);
  return /^\w*Error.*$/m.exec(stderr)?.[0] ?? `importing it failed (${String(failure)})`;
}
