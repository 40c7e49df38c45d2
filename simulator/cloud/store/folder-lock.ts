import { open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import { isMissing } from "./disk.ts";

export class FolderInUseError extends CoalmineError {
  readonly code = "ERR_CLOUD_STATE_IN_USE";
}

/** What this process holds: a lock with our own id that is not here was left by a former process of that id. */
const held = new Set<string>();

/** Two clouds in one folder would overwrite each other: the second is refused while the first lives. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock");
  for (;;) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(String(process.pid));
      await file.close();
      held.add(path);
      return async () => {
        held.delete(path);
        await unlink(path);
      };
    } catch (failure) {
      if (!(failure instanceof Error && "code" in failure && failure.code === "EEXIST")) throw failure;
    }
    const owner = Number(await readFile(path, "utf8").catch(() => ""));
    if (owner === process.pid ? held.has(path) : owner > 0 && isAlive(owner))
      throw new FolderInUseError(
        `cannot use ${folder}: process ${owner} keeps its cloud there; stop it, or give another --state.`,
      );
    // Left by a process that was killed.
    await unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (failure) {
    return failure instanceof Error && "code" in failure && failure.code === "EPERM";
  }
}
