import { readdir, readFile } from "node:fs/promises";

/** Looking at processes of this machine, as Linux shows them in /proc. */

export interface TreeMemory {
  readonly processes: number;
  /** Sum of proportional set sizes: pages that several share count once in all. */
  readonly pssBytes: number;
}

/** The process, its children, theirs, … that live now; the process itself first. */
export async function treeOf(pid: number): Promise<readonly number[]> {
  const children = new Map<number, number[]>();
  for (const id of await processIds()) {
    const parent = await parentOf(id);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const tree = [pid];
  for (const id of tree) tree.push(...(children.get(id) ?? []));
  return tree;
}

/** What a process and everything below it hold of this machine's memory. What ends meanwhile counts nothing. */
export async function memoryOfTree(pid: number): Promise<TreeMemory> {
  let pssBytes = 0;
  let processes = 0;
  for (const id of await treeOf(pid)) {
    const rollup = await readOrGone(`/proc/${id}/smaps_rollup`);
    const kilobytes = rollup === undefined ? undefined : /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
    if (kilobytes === undefined) continue;
    processes += 1;
    pssBytes += Number(kilobytes) * 1024;
  }
  return { processes, pssBytes };
}

/**
 * Every process that was started with this variable, also those whose parents are gone: what a control group is to
 * systemd. A dead process that nobody has asked after does not count.
 */
export function startedWith(variable: string, value: string): Promise<readonly number[]> {
  return startedWhere(variable, (found) => found === value);
}

/** The same of every process whose variable names this folder or something below it. */
export function startedBelow(variable: string, folder: string): Promise<readonly number[]> {
  return startedWhere(variable, (found) => found === folder || found.startsWith(`${folder}/`));
}

async function startedWhere(
  variable: string,
  isWanted: (value: string) => boolean,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const id of await processIds()) {
    const environment = await readOrGone(`/proc/${id}/environ`);
    const entry = environment?.split("\0").find((one) => one.startsWith(`${variable}=`));
    if (entry !== undefined && isWanted(entry.slice(variable.length + 1))) found.push(id);
  }
  return found;
}

/** SIGKILL; a process that has ended meanwhile is left in peace. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (failure) {
    if (!(failure instanceof Error && "code" in failure && failure.code === "ESRCH")) throw failure;
  }
}

async function processIds(): Promise<readonly number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readOrGone(`/proc/${pid}/stat`);
  // The name before it is in brackets and may hold anything, brackets too.
  const parent = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
  return parent === undefined ? undefined : Number(parent);
}

/** Processes end while they are looked at, and those of others are not ours to read. */
async function readOrGone(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    const code = failure instanceof Error && "code" in failure ? failure.code : undefined;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return undefined;
    throw failure;
  }
}
