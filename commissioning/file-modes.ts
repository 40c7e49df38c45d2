import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { modes } from "./durable-files.ts";
import type { Places } from "./places.ts";
import { CommissioningRefused } from "./refusal.ts";

/** Refuses to go on where what commissioning left is open to more people than it was left to. */
export async function refuseWrongModes(places: Places): Promise<void> {
  await refuseMode(dirname(places.privateKey), modes.folder);
  await refuseMode(dirname(places.journal), modes.folder);
  for (const secret of [
    places.privateKey,
    places.nextPrivateKey,
    places.signingRequest,
    places.ownershipToken,
    places.journal,
    places.proxy,
  ])
    await refuseMode(secret, modes.privateKey);
  for (const certificate of [places.certificate, places.rootCa])
    await refuseMode(certificate, modes.certificate);
  for (const secret of await filesBelow(places.eap)) await refuseMode(secret, modes.privateKey);
  await refuseMode(places.configuration, modes.configuration);
  for (const report of [places.reportJson, places.reportText]) await refuseMode(report, modes.report);
}

/** Refuses a right that `allowed` does not give; what is not there is well. */
export async function refuseMode(path: string, allowed: number): Promise<void> {
  const found = await stat(path).catch(unlessMissing);
  if (found === undefined) return;
  const mode = found.mode & 0o777;
  if ((mode & ~allowed) === 0) return;
  const remedy =
    allowed === modes.privateKey
      ? "others could have read it; do so if nobody else works on this machine, or commission the device anew"
      : "then run this again";
  throw new CommissioningRefused(
    "file-modes",
    `${path} has the mode ${mode.toString(8)}, at most ${allowed.toString(8)} is right: \`chmod ${allowed.toString(8)} ${path}\`; ${remedy}`,
  );
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessMissing);
  return (entries ?? [])
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

function unlessMissing(failure: unknown): undefined {
  if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return undefined;
  throw failure;
}
