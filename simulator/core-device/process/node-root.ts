import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  appendFile,
  chmod,
  lchown,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArtifactPermission, DeviceRoot, SystemUser } from "../ports.ts";
import { zipEntries } from "../store/zip.ts";

/** A device's root on the machine's own disk. */
export class NodeRoot implements DeviceRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async readText(path: string): Promise<string | undefined> {
    return orMissing(readFile(join(this.path, path), "utf8"), undefined);
  }

  async writeText(path: string, text: string, content?: "secret"): Promise<void> {
    const full = await this.#made(path);
    const half = `${full}.part`;
    const file = await open(half, "w", content === "secret" ? 0o600 : 0o666);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(half, full);
    await syncFolder(dirname(full));
  }

  async appendText(path: string, text: string, durability: "durable" | "log" = "durable"): Promise<void> {
    const full = await this.#made(path);
    if (durability === "log") {
      await appendFile(full, text);
      return;
    }
    const file = await open(full, "a");
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async sizeOf(path: string): Promise<number> {
    return orMissing(
      stat(join(this.path, path)).then((found) => found.size),
      0,
    );
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.path, from), join(this.path, to));
  }

  async list(path: string): Promise<readonly string[]> {
    const names = await orMissing(readdir(join(this.path, path)), []);
    return names.toSorted();
  }

  async removeTree(path: string): Promise<void> {
    await rm(join(this.path, path), { recursive: true, force: true });
  }

  async makeFolder(path: string): Promise<void> {
    await mkdir(join(this.path, path), { recursive: true });
  }

  async giveTo(path: string, { userId, groupId }: SystemUser): Promise<void> {
    const top = join(this.path, path);
    const found = await orMissing(stat(top), undefined);
    if (found === undefined || (found.uid === userId && found.gid === groupId)) return;
    // A link is given, not what it leads to. The folder itself comes last: half given is given again.
    for (const name of await readdir(top, { recursive: true }))
      await lchown(join(top, name), userId, groupId);
    await lchown(top, userId, groupId);
  }

  async artifactDigest(path: string): Promise<string | undefined> {
    if ((await this.sizeOf(path)) === 0) return undefined;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(this.path, path))) hash.update(chunk);
    return hash.digest("base64");
  }

  async adoptArtifact(): Promise<boolean> {
    return false;
  }

  async writeArtifact(path: string, bytes: Uint8Array, permission: ArtifactPermission): Promise<void> {
    const full = await this.#made(path);
    const half = `${full}.part`;
    await writeFile(half, bytes);
    await chmod(half, modeOf(permission));
    await rename(half, full);
  }

  async unarchive(
    zipPath: string,
    intoFolder: string,
    permission: ArtifactPermission,
    bytesMax: number,
  ): Promise<void> {
    const into = join(this.path, intoFolder);
    const half = `${into}.part`;
    await rm(half, { recursive: true, force: true });
    try {
      await mkdir(half, { recursive: true });
      for (const { name, pieces } of zipEntries(await readFile(join(this.path, zipPath)), bytesMax)) {
        const path = join(half, name);
        await mkdir(name.endsWith("/") ? path : dirname(path), { recursive: true });
        if (!name.endsWith("/")) await writeFile(path, pieces(), { mode: modeOf(permission) });
      }
      // Whole or not at all: a half extracted artifact would be taken for the whole one.
      await rm(into, { recursive: true, force: true });
      await rename(half, into);
    } catch (failure) {
      await rm(half, { recursive: true, force: true });
      throw failure;
    }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize;
  }

  async bytesBelow(path: string): Promise<number> {
    const top = join(this.path, path);
    let bytes = 0;
    for (const name of await orMissing(readdir(top, { recursive: true }), []))
      bytes += await orMissing(
        lstat(join(top, name)).then((found) => (found.isFile() ? found.size : 0)),
        0,
      );
    return bytes;
  }

  async #made(path: string): Promise<string> {
    const full = join(this.path, path);
    await mkdir(dirname(full), { recursive: true });
    return full;
  }
}

/** The owner may always read and write: it is this device that has to remove the file one day. */
function modeOf({ read, execute }: ArtifactPermission): number {
  let mode = 0o600;
  if (read === "ALL" || execute === "ALL") mode |= 0o044;
  if (execute !== "NONE") mode |= 0o100;
  if (execute === "ALL") mode |= 0o011;
  return mode;
}

async function orMissing<Found>(found: Promise<Found>, missing: Found): Promise<Found> {
  try {
    return await found;
  } catch (failure) {
    if (
      failure instanceof Error &&
      "code" in failure &&
      (failure.code === "ENOENT" || failure.code === "ENOTDIR")
    )
      return missing;
    throw failure;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
