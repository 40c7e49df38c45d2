import { basename, dirname } from "node:path";
import type { Random } from "@coalmine/ports";
import type { AppendedFile, Disk } from "./disk.ts";

/** What a file holds, and how much of it is sure to be there after the power went. */
interface File {
  bytes: Buffer;
  syncedBytes: number;
}
/** A change of names that a crash may leave out until the folder is synced. */
interface Naming {
  readonly folder: string;
  apply(names: Map<string, File>): void;
}

/**
 * A disk in memory that knows what a power cut leaves. Bytes are sure once their file is synced, names once their folder
 * is; of the rest any part may be there, in any combination, and the end of an unsynced write may be zeros.
 */
export class CrashingDisk implements Disk {
  readonly #folders: Set<string>;
  #names = new Map<string, File>();
  #sure = new Map<string, File>();
  #unsure: Naming[] = [];
  /** Told before and after every change. */
  changed: () => void = () => {};

  constructor(folders: Iterable<string> = []) {
    this.#folders = new Set(folders);
  }

  /** What another process finds when the power comes back. */
  afterPowerCut(random: Random): CrashingDisk {
    const left = new CrashingDisk(this.#folders);
    const names = new Map(this.#sure);
    for (const naming of this.#unsure) if (random.next() < 0.5) naming.apply(names);
    const files = new Map<File, File>();
    for (const [path, file] of names) {
      const copy = files.get(file) ?? remains(file, random);
      files.set(file, copy);
      left.#names.set(path, copy);
    }
    left.#sure = new Map(left.#names);
    return left;
  }

  lock(): Promise<() => Promise<void>> {
    return Promise.resolve(() => Promise.resolve());
  }

  makeFolder(path: string): Promise<void> {
    // An empty folder that is lost is made again; one that is lost with what is in it loses those names.
    return this.#change(() => this.#folders.add(path));
  }

  list(folder: string): Promise<readonly string[]> {
    const here = [...this.#names.keys()].filter((path) => dirname(path) === folder);
    return Promise.resolve(here.map((path) => basename(path)));
  }

  has(path: string): Promise<boolean> {
    return Promise.resolve(this.#names.has(path));
  }

  async read(path: string): Promise<Buffer> {
    return Buffer.from((await this.#file(path)).bytes);
  }

  writeSynced(path: string, chunks: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(chunks);
    const file = { bytes, syncedBytes: bytes.length };
    return this.#rename(path, (names) => names.set(path, file));
  }

  async openToAppend(path: string): Promise<AppendedFile> {
    const file = await this.#file(path);
    return {
      append: async (bytes) => {
        await this.#change(() => {
          file.bytes = Buffer.concat([file.bytes, bytes]);
        });
        await this.#change(() => {
          file.syncedBytes = file.bytes.length;
        });
      },
      close: () => Promise.resolve(),
    };
  }

  async truncate(path: string, length: number): Promise<void> {
    const file = await this.#file(path);
    await this.#change(() => {
      file.bytes = file.bytes.subarray(0, length);
      file.syncedBytes = length;
    });
  }

  async rename(from: string, to: string): Promise<void> {
    const file = await this.#file(from);
    await this.#rename(to, (names) => {
      names.delete(from);
      names.set(to, file);
    });
  }

  remove(path: string): Promise<void> {
    return this.#rename(path, (names) => names.delete(path));
  }

  syncFolder(folder: string): Promise<void> {
    return this.#change(() => {
      for (const naming of this.#unsure) if (naming.folder === folder) naming.apply(this.#sure);
      this.#unsure = this.#unsure.filter((naming) => naming.folder !== folder);
    });
  }

  #rename(path: string, apply: (names: Map<string, File>) => void): Promise<void> {
    return this.#change(() => {
      apply(this.#names);
      this.#unsure.push({ folder: dirname(path), apply });
    });
  }

  /** Real work takes its time: others get their turn in the midst of it. */
  async #change(change: () => void): Promise<void> {
    await Promise.resolve();
    this.changed();
    change();
    this.changed();
    await Promise.resolve();
  }

  #file(path: string): Promise<File> {
    const file = this.#names.get(path);
    if (file !== undefined) return Promise.resolve(file);
    return Promise.reject(Object.assign(new Error(`there is no ${path}`), { code: "ENOENT" }));
  }
}

function remains({ bytes, syncedBytes }: File, random: Random): File {
  const unsynced = bytes.length - syncedBytes;
  const kept = syncedBytes + Math.floor(random.next() * (unsynced + 1));
  const left = Buffer.from(bytes.subarray(0, kept));
  // The file's length was written, and its last bytes were not.
  const zeros = random.next() < 0.3 ? Math.floor(random.next() * (kept - syncedBytes + 1)) : 0;
  left.fill(0, kept - zeros);
  return { bytes: left, syncedBytes: left.length };
}
