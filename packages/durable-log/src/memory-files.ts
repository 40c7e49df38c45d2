import type { File, FileErrorCode, Files, FileStatus, ForeignFolder } from "@coalmine/ports";
import { inSteps } from "@coalmine/runtime";

/** What happened to the disk, in order; `node` and `folder` are inode numbers. What `crash-files.ts` replays. */
export type FileEvent =
  | { readonly kind: "write"; readonly node: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly node: number; readonly sizeBytes: number }
  | { readonly kind: "sync"; readonly node: number }
  | {
      readonly kind: "name";
      readonly folder: number;
      readonly name: string;
      readonly node: number;
      readonly isFolder: boolean;
    }
  | { readonly kind: "unname"; readonly folder: number; readonly name: string }
  | {
      readonly kind: "rename";
      readonly from: number;
      readonly name: string;
      readonly to: number;
      readonly newName: string;
      readonly node: number;
    }
  | { readonly kind: "syncFolder"; readonly folder: number };

export interface MemoryFilesOptions {
  /** Writing beyond it is refused with ENOSPC; unlimited by default. */
  readonly capacityBytes?: number;
  /** The instant for `modifiedMs`; 0 by default. */
  readonly now?: () => number;
  /** Folders outside the work folder; none by default. */
  readonly foreign?: (path: string) => ForeignFolder;
  readonly observe?: (event: FileEvent) => void;
}

/** A work folder in memory that keeps the promises of the `files` port, and no others. */
export interface MemoryFiles extends Files {
  /**
   * The power goes: what was not synced is lost, of files their bytes, of folders their names. Files opened before
   * answer EIO from now on.
   */
  crash(): void;
  /** Puts a durable file there, making its folders. */
  put(path: string, bytes: Uint8Array): void;
  /** The present bytes of every file by path. */
  contents(): ReadonlyMap<string, Uint8Array>;
  usedBytes(): number;
}

interface Bytes {
  readonly kind: "file";
  readonly number: number;
  data: Uint8Array;
  size: number;
  modifiedMs: number;
  /** How to take back what is not synced, newest last. */
  undo: { position: number; old: Uint8Array; size: number }[];
}
interface Folder {
  readonly kind: "folder";
  readonly number: number;
  readonly entries: Map<string, Node>;
  modifiedMs: number;
  undo: { name: string; old: Node | undefined }[];
}
type Node = Bytes | Folder;

class MemoryFileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;
  readonly path: string;
  constructor(code: FileErrorCode, path: string, what: string) {
    super(`${code}: ${what}: ${path}`);
    this.code = code;
    this.path = path;
  }
}

/** An in-memory `Files` with the durability of a strict disk: nothing lasts that was not synced. */
export function memoryFiles(options: MemoryFilesOptions = {}): MemoryFiles {
  const { capacityBytes = Number.MAX_SAFE_INTEGER, now = () => 0, observe } = options;
  let numbers = 1;
  let used = 0;
  let life = 0;
  const root: Folder = { kind: "folder", number: 0, entries: new Map(), modifiedMs: 0, undo: [] };

  const split = (path: string): string[] => {
    const parts = path.split("/").filter((part) => part !== "");
    if (path.startsWith("/") || parts.includes(".."))
      throw new MemoryFileError("EINVAL", path, "not a relative path");
    return parts;
  };
  const find = (path: string): Node => {
    let node: Node = root;
    for (const part of split(path)) {
      if (node.kind !== "folder") throw new MemoryFileError("ENOTDIR", path, "a part of the path is a file");
      const next = node.entries.get(part);
      if (next === undefined) throw new MemoryFileError("ENOENT", path, "no such file or folder");
      node = next;
    }
    return node;
  };
  const folderAt = (path: string): Folder => {
    const node = find(path);
    if (node.kind !== "folder") throw new MemoryFileError("ENOTDIR", path, "not a folder");
    return node;
  };
  const place = (path: string): { folder: Folder; name: string } => {
    const parts = split(path);
    const name = parts.pop();
    if (name === undefined) throw new MemoryFileError("EINVAL", path, "the work folder itself");
    return { folder: folderAt(parts.join("/")), name };
  };
  const setName = (folder: Folder, name: string, node: Node | undefined): void => {
    folder.undo.push({ name, old: folder.entries.get(name) });
    if (node === undefined) folder.entries.delete(name);
    else folder.entries.set(name, node);
    folder.modifiedMs = now();
  };
  const newFile = (): Bytes => ({
    kind: "file",
    number: numbers++,
    data: new Uint8Array(0),
    size: 0,
    modifiedMs: now(),
    undo: [],
  });
  const resize = (file: Bytes, size: number): void => {
    used += size - file.size;
    if (size > file.data.length) {
      const larger = new Uint8Array(Math.max(size, file.data.length * 2, 256));
      larger.set(file.data.subarray(0, file.size));
      file.data = larger;
    } else if (size < file.size) file.data.fill(0, size, file.size);
    file.size = size;
  };
  const release = (node: Node | undefined): void => {
    if (node?.kind === "file") used -= node.size;
  };

  const open = (file: Bytes, path: string, mayWrite: boolean): File => {
    const born = life;
    const check = (writes: boolean): void => {
      if (born !== life)
        throw new MemoryFileError("EIO", path, "the device lost power since this file was opened");
      if (writes && !mayWrite) throw new MemoryFileError("EACCES", path, "opened for reading");
    };
    const opened = inSteps({
      async read(position, lengthBytes) {
        check(false);
        return file.data.slice(position, Math.min(file.size, position + lengthBytes));
      },
      async write(position, bytes) {
        check(true);
        const end = position + bytes.length;
        if (used + Math.max(0, end - file.size) > capacityBytes)
          throw new MemoryFileError("ENOSPC", path, "the disk is full");
        // What lies behind the durable size goes anyway: no need to remember it.
        if (position < (file.undo[0]?.size ?? Infinity))
          file.undo.push({
            position,
            old: file.data.slice(position, Math.min(file.size, end)),
            size: file.size,
          });
        if (end > file.size) resize(file, end);
        file.data.set(bytes, position);
        file.modifiedMs = now();
        observe?.({ kind: "write", node: file.number, position, bytes: bytes.slice() });
      },
      async truncate(sizeBytes) {
        check(true);
        file.undo.push({ position: sizeBytes, old: file.data.slice(sizeBytes, file.size), size: file.size });
        resize(file, sizeBytes);
        observe?.({ kind: "truncate", node: file.number, sizeBytes });
      },
      async sync() {
        check(true);
        file.undo = [];
        observe?.({ kind: "sync", node: file.number });
      },
      async size() {
        check(false);
        return file.size;
      },
      async close() {},
    });
    return {
      ...opened,
      async writeDurably(position, bytes) {
        // On a disk it would not last either, and only a crash would tell.
        if (file.undo.length > 0) throw new Error(`${path}: sync what was written before`);
        await opened.writeDurably(position, bytes);
      },
    };
  };

  return {
    async open(path, mode) {
      const { folder, name } = place(path);
      const existing = folder.entries.get(name);
      if (existing?.kind === "folder") throw new MemoryFileError("EISDIR", path, "a folder");
      if (existing !== undefined) {
        if (mode === "exclusive") throw new MemoryFileError("EEXIST", path, "exists already");
        return open(existing, path, mode !== "read");
      }
      if (mode === "read" || mode === "write") throw new MemoryFileError("ENOENT", path, "no such file");
      const made = newFile();
      setName(folder, name, made);
      observe?.({ kind: "name", folder: folder.number, name, node: made.number, isFolder: false });
      return open(made, path, true);
    },
    async makeFolder(path) {
      const { folder, name } = place(path);
      if (folder.entries.has(name)) throw new MemoryFileError("EEXIST", path, "exists already");
      const made: Folder = {
        kind: "folder",
        number: numbers++,
        entries: new Map(),
        modifiedMs: now(),
        undo: [],
      };
      setName(folder, name, made);
      observe?.({ kind: "name", folder: folder.number, name, node: made.number, isFolder: true });
    },
    async list(path) {
      return [...folderAt(path).entries.keys()].sort();
    },
    async status(path): Promise<FileStatus> {
      const node = find(path);
      return {
        device: "memory",
        inode: String(node.number),
        kind: node.kind,
        sizeBytes: node.kind === "file" ? node.size : 0,
        modifiedMs: node.modifiedMs,
      };
    },
    async rename(from, to) {
      const source = place(from);
      const target = place(to);
      const node = source.folder.entries.get(source.name);
      if (node === undefined) throw new MemoryFileError("ENOENT", from, "no such file or folder");
      const replaced = target.folder.entries.get(target.name);
      if (replaced !== node) release(replaced);
      setName(target.folder, target.name, node);
      if (source.folder !== target.folder || source.name !== target.name)
        setName(source.folder, source.name, undefined);
      observe?.({
        kind: "rename",
        from: source.folder.number,
        name: source.name,
        to: target.folder.number,
        newName: target.name,
        node: node.number,
      });
    },
    async remove(path) {
      const { folder, name } = place(path);
      const node = find(path);
      release(node);
      setName(folder, name, undefined);
      observe?.({ kind: "unname", folder: folder.number, name });
    },
    async syncFolder(path) {
      const folder = folderAt(path);
      folder.undo = [];
      observe?.({ kind: "syncFolder", folder: folder.number });
    },
    async freeBytes() {
      return Math.max(0, capacityBytes - used);
    },
    foreign(path) {
      if (options.foreign === undefined) throw new MemoryFileError("ENOENT", path, "no such folder");
      return options.foreign(path);
    },
    crash() {
      life++;
      let kept = 0;
      const visit = (node: Node): void => {
        if (node.kind === "folder") {
          for (const { name, old } of node.undo.splice(0).reverse())
            if (old === undefined) node.entries.delete(name);
            else node.entries.set(name, old);
          for (const entry of node.entries.values()) visit(entry);
          return;
        }
        for (const { position, old, size } of node.undo.splice(0).reverse()) {
          resize(node, size);
          node.data.set(old, position);
        }
        kept += node.size;
      };
      visit(root);
      used = kept;
    },
    put(path, bytes) {
      const parts = split(path);
      const name = parts.pop() ?? "";
      let folder = root;
      for (const part of parts) {
        let next = folder.entries.get(part);
        if (next === undefined) {
          next = { kind: "folder", number: numbers++, entries: new Map(), modifiedMs: now(), undo: [] };
          folder.entries.set(part, next);
        }
        if (next.kind !== "folder")
          throw new MemoryFileError("ENOTDIR", path, "a part of the path is a file");
        folder = next;
      }
      const file = newFile();
      resize(file, bytes.length);
      file.data.set(bytes);
      release(folder.entries.get(name));
      folder.entries.set(name, file);
    },
    contents() {
      const found = new Map<string, Uint8Array>();
      const visit = (folder: Folder, prefix: string): void => {
        for (const [name, node] of folder.entries)
          if (node.kind === "folder") visit(node, `${prefix}${name}/`);
          else found.set(prefix + name, node.data.slice(0, node.size));
      };
      visit(root, "");
      return found;
    },
    usedBytes: () => used,
  };
}
