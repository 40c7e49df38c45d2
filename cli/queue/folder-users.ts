import { readdirSync, readlinkSync, realpathSync } from "node:fs";

/**
 * The processes that have a file open below a folder, or undefined where the system does not tell (it has no /proc). A
 * process of another user shows its files to the superuser alone.
 */
export function folderUsers(folder: string): readonly number[] | undefined {
  const prefix = `${realpathSync(folder)}/`;
  let processes: string[];
  try {
    processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  return processes
    .filter((pid) => openFiles(`/proc/${pid}/fd`).some((path) => path.startsWith(prefix)))
    .map(Number);
}

/** None of a process that has ended, or is not ours to look into. */
function openFiles(descriptors: string): string[] {
  const target = (name: string): string[] => {
    try {
      return [readlinkSync(`${descriptors}/${name}`)];
    } catch {
      return [];
    }
  };
  try {
    return readdirSync(descriptors).flatMap(target);
  } catch {
    return [];
  }
}
