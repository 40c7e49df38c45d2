import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Modes of what commissioning leaves on a device. */
export const modes = {
  folder: 0o700,
  privateKey: 0o600,
  certificate: 0o644,
  configuration: 0o640,
  report: 0o640,
  workFolder: 0o755,
  calibrations: 0o644,
} as const;

/** What is written to the disk, step by step: a test cuts the power at any of them. */
export interface DurableFiles {
  write(path: string, content: string | Uint8Array, mode: number): Promise<void>;
  erase(path: string): Promise<void>;
}
export const durableFiles: DurableFiles = { write: writeDurably, erase };

/** Writes a file whole or not at all, with its mode from the first byte on; durable when it resolves. */
export async function writeDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await makeFolder(dirname(path));
  const half = `${path}.part`;
  // A half file of an earlier run may have another mode, and `open` keeps the mode of what is there.
  await rm(half, { force: true });
  const file = await open(half, "wx", mode);
  try {
    // The umask may have taken bits away.
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } catch (failure) {
    await file.close();
    await rm(half, { force: true });
    throw failure;
  }
  await file.close();
  await rename(half, path);
  await syncFolder(dirname(path));
}

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    if (isMissing(failure)) return undefined;
    throw failure;
  }
}

/**
 * Overwrites a secret, removes it, and syncs both. Flash may keep old blocks all the same: a code is of no use to
 * another device either, and a claim lies in memory only.
 */
export async function erase(path: string): Promise<void> {
  try {
    const { size } = await stat(path);
    await chmod(path, 0o600);
    const file = await open(path, "r+");
    try {
      await file.write(new Uint8Array(size), 0, size, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rm(path);
  } catch (failure) {
    if (isMissing(failure)) return;
    throw failure;
  }
  await syncFolder(dirname(path));
}

/** A folder that only its owner can enter. One that is there already keeps its mode, unless it is ours to set. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: modes.folder });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(failure: unknown): boolean {
  return failure instanceof Error && "code" in failure && failure.code === "ENOENT";
}
