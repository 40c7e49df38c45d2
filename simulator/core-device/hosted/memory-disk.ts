import type { Clock } from "@coalmine/ports";

/** A file's content apart from its names: it lives as long as someone holds it. */
export interface MemoryFile {
  readonly inode: string;
  bytes: Uint8Array;
  sizeBytes: number;
  modifiedMs: number;
}

/**
 * A small file tree in memory. Paths are relative to the device's root, `/`-separated. Folders exist by their files, or
 * because they were made. The simulator makes a hosted component's `files` port of it, log folder included.
 */
export class MemoryDisk {
  readonly #files = new Map<string, MemoryFile>();
  readonly #folders = new Set<string>();
  /** Listings since names last changed: logs are written to and listed all the time, and rarely renamed. */
  readonly #listed = new Map<string, readonly string[]>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #clock: Clock;
  #inodes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  file(path: string): MemoryFile | undefined {
    return this.#files.get(path);
  }

  text(path: string): string | undefined {
    const file = this.#files.get(path);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes.subarray(0, file.sizeBytes));
  }

  usedBytes(): number {
    let bytes = 0;
    for (const { sizeBytes } of this.#files.values()) bytes += sizeBytes;
    return bytes;
  }

  isFolder(path: string): boolean {
    if (this.#folders.has(path)) return true;
    // A name is one or the other: most questions are about files, and need no look at all the others.
    if (this.#files.has(path)) return false;
    const before = `${path}/`;
    for (const name of this.#files.keys()) if (name.startsWith(before)) return true;
    return false;
  }

  /** Names directly inside `path`, sorted. */
  list(path: string): readonly string[] {
    const known = this.#listed.get(path);
    if (known !== undefined) return known;
    const before = path === "" ? "" : `${path}/`;
    const names = new Set<string>();
    for (const paths of [this.#files.keys(), this.#folders.keys()])
      for (const name of paths) {
        if (!name.startsWith(before)) continue;
        const end = name.indexOf("/", before.length);
        const first = name.slice(before.length, end < 0 ? name.length : end);
        if (first !== "") names.add(first);
      }
    const listed = [...names].toSorted();
    this.#listed.set(path, listed);
    return listed;
  }

  makeFolder(path: string): void {
    this.#folders.add(path);
    this.#listed.clear();
  }

  create(path: string): MemoryFile {
    const made: MemoryFile = {
      inode: String(++this.#inodes),
      bytes: new Uint8Array(0),
      sizeBytes: 0,
      modifiedMs: this.#clock.now(),
    };
    this.#files.set(path, made);
    this.#listed.clear();
    this.#changed(path);
    return made;
  }

  append(path: string, bytes: Uint8Array): void {
    const file = this.#files.get(path) ?? this.create(path);
    this.write(path, file, file.sizeBytes, bytes);
  }

  /** Writes through an open file; `path` is the name it was opened by, for whoever watches the folder. */
  write(path: string, file: MemoryFile, position: number, bytes: Uint8Array): void {
    const end = position + bytes.byteLength;
    if (end > file.bytes.byteLength) {
      const grown = new Uint8Array(Math.max(end, Math.min(file.bytes.byteLength * 2, end + 65_536)));
      grown.set(file.bytes.subarray(0, file.sizeBytes));
      file.bytes = grown;
    }
    file.bytes.set(bytes, position);
    file.sizeBytes = Math.max(file.sizeBytes, end);
    file.modifiedMs = this.#clock.now();
    this.#changed(path);
  }

  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) return;
    this.#files.delete(from);
    this.#files.set(to, file);
    this.#listed.clear();
    this.#changed(from);
    this.#changed(to);
  }

  removeTree(path: string): void {
    for (const name of [...this.#files.keys(), ...this.#folders])
      if (path === "" || name === path || name.startsWith(`${path}/`)) {
        this.#files.delete(name);
        this.#folders.delete(name);
        this.#listed.clear();
        this.#changed(name);
      }
  }

  /** Calls `changed` when a file directly inside the folder was written, made, renamed or removed. */
  watch(folder: string, changed: () => void): { close(): void } {
    const watchers = this.#watchers.get(folder) ?? new Set();
    this.#watchers.set(folder, watchers.add(changed));
    return { close: () => watchers.delete(changed) };
  }

  #changed(path: string): void {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    for (const watcher of this.#watchers.get(folder) ?? []) watcher();
  }
}
