import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { componentNames } from "@coalmine/contract";
import type { Network } from "@coalmine/site";
import { NO_SUCH_PROGRAM, type RunProgram } from "@coalmine/site/program";
import { type DurableFiles, durableFiles } from "../durable-files.ts";
import type { CommissionOptions } from "../options.ts";
import { placesOf } from "../places.ts";

/** The key first: whatever cuts this short, nobody is this device any more. What the core device has made of its configuration goes too. */
const foldersOf = (root: string): readonly string[] => [
  join(root, "thing"),
  join(root, "commissioning"),
  join(root, "config"),
  join(root, "work", componentNames.sensorReader),
];

export interface Wiped {
  /** Each file that was overwritten and removed. */
  readonly erased: readonly string[];
  /** Adapters whose saved network, with its passphrase, is forgotten. */
  readonly forgotten: readonly string[];
  /** Whether the file system has told its medium which blocks are free; what it said instead. */
  readonly trim: { readonly kind: "trimmed" } | { readonly kind: "not-trimmed"; readonly why: string };
}

/**
 * Takes identity, code, passphrases, calibrations and papers off a device that leaves its place. May be cut at any point and
 * run again. On flash an overwritten block is another block: the old one stays in the chip until its controller erases it,
 * which a trim asks for and nothing here can prove. What makes an old key worthless is that its certificate is revoked.
 * @see NIST SP 800-88 Rev. 1, 2.4 and appendix A
 */
export async function wipe(
  settings: Pick<CommissionOptions, "root" | "claimCodeFile">,
  {
    network,
    run,
    files = durableFiles,
  }: {
    readonly network: Pick<Network, "adapters" | "forget">;
    readonly run: RunProgram;
    readonly files?: Pick<DurableFiles, "erase">;
  },
): Promise<Wiped> {
  const { root } = settings;
  const erased: string[] = [];
  for (const folder of foldersOf(root)) {
    for (const path of await filesIn(folder)) {
      await files.erase(path);
      erased.push(path);
    }
    await rm(folder, { recursive: true, force: true });
  }
  await files.erase(placesOf(settings).claimCode);
  const forgotten: string[] = [];
  for (const { name } of await network.adapters()) {
    await network.forget(name);
    forgotten.push(name);
  }
  const { code, stderr } = await run("fstrim", [root]);
  const why = code === NO_SUCH_PROGRAM ? "fstrim is not on this machine" : stderr.trim();
  return {
    erased,
    forgotten,
    trim: code === 0 ? { kind: "trimmed" } : { kind: "not-trimmed", why },
  };
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  } catch (failure) {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return [];
    throw failure;
  }
}
