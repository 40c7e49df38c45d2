import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { FileError, FileStatus, ForeignFolder } from "@coalmine/ports";

/** A file apart from its names. `text` is what its writer wrote, also where the bytes are compressed. */
export interface Node {
  inode: string;
  bytes: Uint8Array;
  text: string;
  modifiedMs: number;
  openHandles: number;
}

class DiskError extends Error implements FileError {
  override readonly name = "FileError";
  readonly code: FileError["code"];
  readonly path: string;
  constructor(path: string, code: FileError["code"] = "ENOENT") {
    super(`${code}: ${path}`);
    this.code = code;
    this.path = path;
  }
}

/** A folder of logs in memory that does what writers and rotation do: names and inodes apart, inodes used again. */
export class LogDisk {
  readonly names = new Map<string, Node>();
  readonly #now: () => number;
  readonly #watchers = new Set<() => void>();
  readonly #freeInodes: string[] = [];
  readonly #open = new Set<Node>();
  #inodes = 0;
  /** Whether watching works on this file system. */
  tellsOfChanges = true;
  /** Whether the component may open a file. */
  isReadable: (name: string) => boolean = () => true;
  /** Told of what was read of a file. */
  onRead: (text: string, node: Node) => void = () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  create(name: string): Node {
    const node: Node = {
      inode: this.#freeInodes.pop() ?? String(++this.#inodes),
      bytes: new Uint8Array(0),
      text: "",
      modifiedMs: this.#now(),
      openHandles: 0,
    };
    this.#name(name, node);
    return node;
  }

  append(node: Node, text: string): void {
    this.appendBytes(node, new TextEncoder().encode(text));
    node.text += text;
  }

  appendBytes(node: Node, added: Uint8Array): void {
    const bytes = new Uint8Array(node.bytes.length + added.length);
    bytes.set(node.bytes);
    bytes.set(added, node.bytes.length);
    node.bytes = bytes;
    this.#touch(node);
  }

  truncate(node: Node): void {
    node.bytes = new Uint8Array(0);
    node.text = "";
    this.#touch(node);
  }

  copy(from: Node, to: string): Node {
    const node = this.create(to);
    node.bytes = from.bytes.slice();
    node.text = from.text;
    this.#touch(node);
    return node;
  }

  compress(from: Node, to: string): Node {
    const node = this.create(to);
    node.bytes = compressed(to, from.bytes);
    node.text = from.text;
    this.#touch(node);
    return node;
  }

  rename(from: string, to: string): void {
    const node = this.names.get(from);
    if (node === undefined) return;
    this.names.delete(from);
    this.#name(to, node);
  }

  remove(name: string): void {
    const node = this.names.get(name);
    if (node === undefined) return;
    this.names.delete(name);
    this.#freed(node);
    this.#changed();
  }

  /** Every file that can be read: by a name, or by a handle that somebody holds. */
  readable(): Node[] {
    return [...new Set([...this.names.values(), ...this.#open])];
  }

  /** The reader died: its handles are closed. */
  dropHandles(): void {
    for (const node of this.#open) {
      node.openHandles = 0;
      this.#open.delete(node);
      this.#freed(node);
    }
  }

  folder(): ForeignFolder {
    const at = (name: string): Node => {
      const node = this.names.get(name);
      if (node === undefined) throw new DiskError(name);
      return node;
    };
    return {
      list: async () => [...this.names.keys()].sort(),
      status: async (name) => statusOf(at(name)),
      open: async (name) => {
        if (!this.isReadable(name)) throw new DiskError(name, "EACCES");
        const node = at(name);
        node.openHandles++;
        this.#open.add(node);
        let isOpen = true;
        return {
          read: async (position, lengthBytes) => {
            if (!isOpen) throw new DiskError(name);
            const bytes = node.bytes.slice(position, position + lengthBytes);
            this.onRead(new TextDecoder().decode(bytes), node);
            return bytes;
          },
          size: async () => node.bytes.length,
          status: async () => statusOf(node),
          close: async () => {
            if (!isOpen) return;
            isOpen = false;
            if (--node.openHandles > 0) return;
            this.#open.delete(node);
            this.#freed(node);
          },
        };
      },
      remove: async (name) => {
        at(name);
        this.remove(name);
      },
      watch: (changed) => {
        this.#watchers.add(changed);
        return { close: () => void this.#watchers.delete(changed) };
      },
    };
  }

  #name(name: string, node: Node): void {
    const before = this.names.get(name);
    this.names.set(name, node);
    if (before !== undefined && before !== node) this.#freed(before);
    this.#changed();
  }

  #freed(node: Node): void {
    if (node.openHandles > 0 || [...this.names.values()].includes(node)) return;
    this.#freeInodes.push(node.inode);
  }

  #touch(node: Node): void {
    node.modifiedMs = this.#now();
    this.#changed();
  }

  #changed(): void {
    if (this.tellsOfChanges) for (const watcher of this.#watchers) watcher();
  }
}

/** As `gzip` and `zstd` do, by the name's ending. */
export function compressed(name: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(
    name.endsWith(".gz")
      ? gzipSync(bytes)
      : zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  );
}

function statusOf(node: Node): FileStatus {
  return {
    device: "1",
    inode: node.inode,
    kind: "file",
    sizeBytes: node.bytes.length,
    modifiedMs: Math.floor(node.modifiedMs),
  };
}
