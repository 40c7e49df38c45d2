import type { Random } from "@coalmine/ports";
import { type FileEvent, memoryFiles, type MemoryFiles, type MemoryFilesOptions } from "./memory-files.ts";

/** The unit a disk writes whole; a torn write keeps any of its sectors. */
const SECTOR_BYTES = 512;

/** What became of events that were not synced when the power went. */
export type Fate = "kept" | "dropped" | "chance";

export interface RecordedFiles {
  readonly files: MemoryFiles;
  /** Everything that happened to the disk so far. */
  readonly events: readonly FileEvent[];
}

/** Files in memory that remember what happened to them, for `crashState`. */
export function recordedFiles(options: Omit<MemoryFilesOptions, "observe"> = {}): RecordedFiles {
  const events: FileEvent[] = [];
  return { files: memoryFiles({ ...options, observe: (event) => events.push(event) }), events };
}

/**
 * The disk as it may look when the power goes after the first `length` events. What was synced is there. Of the
 * rest, each write, truncation and change of a name is kept or dropped by itself (so they may seem reordered), and
 * by `chance` a kept write is torn: only some of its sectors arrived.
 */
export function crashState(
  events: readonly FileEvent[],
  length: number,
  fate: Fate,
  random: Random,
): MemoryFiles {
  const { nodeSyncs, folderSyncs } = lastSyncs(events, length);
  const folders = new Map<number, Map<string, { node: number; isFolder: boolean }>>([[0, new Map()]]);
  const contents = new Map<number, Content>();
  const isFolder = new Set<number>([0]);
  const isKept = (): boolean => fate === "kept" || (fate === "chance" && random.next() < 0.5);
  const namesOf = (folder: number): Map<string, { node: number; isFolder: boolean }> => {
    const names = folders.get(folder) ?? new Map<string, { node: number; isFolder: boolean }>();
    folders.set(folder, names);
    return names;
  };
  const contentOf = (node: number): Content => {
    const content = contents.get(node) ?? new Content();
    contents.set(node, content);
    return content;
  };
  for (const [at, event] of events.slice(0, length).entries()) {
    switch (event.kind) {
      case "write": {
        const isDurable = at < (nodeSyncs.get(event.node) ?? 0);
        if (!isDurable && !isKept()) break;
        const isTorn = !isDurable && fate === "chance" && random.next() < 0.7;
        contentOf(event.node).write(event, isTorn ? random : undefined);
        break;
      }
      case "truncate": {
        if (at >= (nodeSyncs.get(event.node) ?? 0) && !isKept()) break;
        contentOf(event.node).truncate(event.sizeBytes);
        break;
      }
      case "name":
        if (event.isFolder) isFolder.add(event.node);
        if (at < (folderSyncs.get(event.folder) ?? 0) || isKept())
          namesOf(event.folder).set(event.name, event);
        break;
      case "unname":
        if (at < (folderSyncs.get(event.folder) ?? 0) || isKept()) namesOf(event.folder).delete(event.name);
        break;
      case "rename":
        if (at >= (folderSyncs.get(event.to) ?? 0) && !isKept()) break;
        namesOf(event.from).delete(event.name);
        namesOf(event.to).set(event.newName, { node: event.node, isFolder: isFolder.has(event.node) });
        break;
      case "sync":
      case "syncFolder":
        break;
    }
  }
  return builtFrom(folders, contents);
}

/** For each file and folder the place of its last sync: everything before it lasts. */
function lastSyncs(
  events: readonly FileEvent[],
  length: number,
): { nodeSyncs: Map<number, number>; folderSyncs: Map<number, number> } {
  const nodeSyncs = new Map<number, number>();
  const folderSyncs = new Map<number, number>();
  for (const [at, event] of events.slice(0, length).entries()) {
    if (event.kind === "sync") nodeSyncs.set(event.node, at);
    if (event.kind === "syncFolder") folderSyncs.set(event.folder, at);
  }
  return { nodeSyncs, folderSyncs };
}

/** The bytes of one file while events are played. */
class Content {
  #data = new Uint8Array(1024);
  #size = 0;

  get bytes(): Uint8Array {
    return this.#data.subarray(0, this.#size);
  }

  /** All of the write; with `tear`, chosen sectors of it. */
  write(write: { readonly position: number; readonly bytes: Uint8Array }, tear: Random | undefined): void {
    const end = write.position + write.bytes.length;
    this.#reserve(end);
    for (let from = write.position; from < end;) {
      const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
      if (tear === undefined || tear.next() < 0.5) {
        this.#data.set(write.bytes.subarray(from - write.position, to - write.position), from);
        this.#size = Math.max(this.#size, to);
      }
      from = to;
    }
  }

  truncate(sizeBytes: number): void {
    this.#reserve(sizeBytes);
    if (sizeBytes < this.#size) this.#data.fill(0, sizeBytes, this.#size);
    this.#size = sizeBytes;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(sizeBytes, this.#data.length * 2));
    larger.set(this.bytes);
    this.#data = larger;
  }
}

function builtFrom(
  folders: ReadonlyMap<number, ReadonlyMap<string, { node: number; isFolder: boolean }>>,
  contents: ReadonlyMap<number, Content>,
): MemoryFiles {
  const files = memoryFiles();
  const visit = (folder: number, prefix: string): void => {
    for (const [name, { node, isFolder }] of folders.get(folder) ?? [])
      if (isFolder) visit(node, `${prefix}${name}/`);
      else files.put(prefix + name, contents.get(node)?.bytes ?? new Uint8Array(0));
  };
  visit(0, "");
  return files;
}
