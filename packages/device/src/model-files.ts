import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "@coalmine/runtime/error";
import { ModelFailure } from "./model-error.ts";

/** The folders of models: a component's artifact by absolute path, or a copy in the work folder. */
export class ModelFiles {
  readonly #work: string;

  constructor(workFolder: string) {
    this.#work = resolve(workFolder);
  }

  /** The folder's absolute path. A copy that was cut off while it replaced the one before is undone. */
  async folder(folder: string): Promise<string> {
    if (folder.startsWith("/")) return folder;
    if (folder === "" || folder.split("/").includes(".."))
      throw new ModelFailure("NO_MODEL", `"${folder}" is no folder within the work folder`);
    const path = join(this.#work, folder);
    if (!(await exists(path)) && (await exists(`${path}.old`))) await rename(`${path}.old`, path);
    return path;
  }

  async readText(folder: string, name: string): Promise<string> {
    if (name.includes("/") || name.startsWith("."))
      throw new ModelFailure("NO_MODEL", `"${name}" is no file of a model`);
    const path = join(await this.folder(folder), name);
    try {
      return await readFile(path, "utf8");
    } catch (cause) {
      throw new ModelFailure("NO_MODEL", `cannot read ${path}: ${messageOf(cause)}`, { cause });
    }
  }

  /** Whole or not at all, whenever the power goes: a new folder is written and synced, then takes the old one's name. */
  async copy(from: string, workFolder: string): Promise<void> {
    if (workFolder.startsWith("/"))
      throw new ModelFailure("NO_MODEL", `"${workFolder}" is no folder within the work folder`);
    const source = await this.folder(from);
    const target = await this.folder(workFolder);
    const fresh = `${target}.new`;
    const old = `${target}.old`;
    try {
      const entries = await readdir(source, { withFileTypes: true });
      await rm(fresh, { recursive: true, force: true });
      await mkdir(fresh, { recursive: true });
      for (const entry of entries) {
        if (!entry.isFile()) continue;
        await copyFile(join(source, entry.name), join(fresh, entry.name));
        await sync(join(fresh, entry.name));
      }
      await sync(fresh);
      await rm(old, { recursive: true, force: true });
      if (await exists(target)) await rename(target, old);
      await rename(fresh, target);
      await sync(dirname(target));
      await rm(old, { recursive: true, force: true });
    } catch (cause) {
      throw new ModelFailure("NO_MODEL", `cannot copy ${source} to ${target}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
