import type { ForeignFolder, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { activeOf, longestName } from "./active.ts";
import type { LogSource } from "./config.ts";
import { DecodingRoom } from "./compressed/compressed-content.ts";
import { type Content, contentOf, plainContent, uncompressedName } from "./content.ts";
import type { FileSet } from "./file-set.ts";
import { CHUNK_BYTES, fileKey, type FollowedFile } from "./followed-file.ts";
import { listFiles } from "./listing.ts";

/** A file that was written to more recently than this is left alone: its writer may not be done. */
const REMOVE_QUIET_MS = 5000;

export interface DiskLimitPorts {
  readonly folder: ForeignFolder;
  readonly log: Log;
  matches(name: string): boolean;
  nowMs(): number;
  /** Unsent content that goes: what was never read of it. */
  lost(bytes: number, lines: number): void;
}

/** A file as the folder has it now, whether or not anything of it was read yet. */
interface OnDisk {
  readonly key: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** When it was first seen as it is. */
  readonly sinceMs: number;
}

/**
 * Keeps a source's files within its limits, without asking whether the cloud can be reached: it takes a listing of its
 * own, since reading may be held up for as long as a batch cannot be put. A file that may still be written to is never
 * removed: of somebody else's open file no space can be had back, so a single file that grows beyond the limit stays.
 */
export class DiskLimits {
  readonly #source: LogSource;
  readonly #files: FileSet;
  readonly #ports: DiskLimitPorts;
  #seen = new Map<string, OnDisk>();
  #isOver = false;
  #isRefused = false;

  constructor(source: LogSource, files: FileSet, ports: DiskLimitPorts) {
    this.#source = source;
    this.#files = files;
    this.#ports = ports;
  }

  get hasWork(): boolean {
    const { softLimitBytes, hardLimitBytes, deleteAfterUpload } = this.#source;
    return softLimitBytes !== undefined || hardLimitBytes !== undefined || deleteAfterUpload;
  }

  async enforce(): Promise<void> {
    const { softLimitBytes = Infinity, hardLimitBytes = Infinity, deleteAfterUpload } = this.#source;
    const named = await this.#list();
    const nowMs = this.#ports.nowMs();
    let total = named.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const active = activeOf(
      named.filter(({ names }) => names.some((name) => uncompressedName(name) === name)),
    );
    const removable = named.filter((file) => !active.has(file) && nowMs - file.sinceMs >= REMOVE_QUIET_MS);
    const kept: OnDisk[] = [];
    for (const file of removable) {
      const mayGo = deleteAfterUpload || total > Math.min(softLimitBytes, hardLimitBytes);
      if (mayGo && this.#isUploaded(file) && (await this.#remove(file))) total -= file.sizeBytes;
      else kept.push(file);
    }
    if (total <= hardLimitBytes) this.#isOver = false;
    for (const file of kept) {
      if (total <= hardLimitBytes) return;
      if (this.#isUploaded(file)) continue;
      const followed = this.#files.find(file.key);
      // From here on nothing more is read of it: what is not read now is what is lost.
      if (followed !== undefined) followed.isAbandoned = true;
      const unread = await this.#unreadOf(file, followed);
      if (unread === undefined || !(await this.#remove(file))) {
        if (followed !== undefined) followed.isAbandoned = false;
        continue;
      }
      total -= file.sizeBytes;
      this.#ports.lost(unread.bytes, unread.lines);
      if (!this.#isOver)
        this.#ports.log.error("log files that were not uploaded were removed to hold the hard disk limit", {
          component: this.#source.component,
          limitBytes: hardLimitBytes,
          firstFile: file.names[0] ?? "",
          lostBytes: unread.bytes,
        });
      this.#isOver = true;
    }
  }

  /** What the folder holds now, oldest first. */
  async #list(): Promise<OnDisk[]> {
    const listed = await listFiles(this.#ports.folder, (name) => this.#ports.matches(name));
    const seen = new Map<string, OnDisk>();
    for (const [key, [first, ...others]] of Map.groupBy(listed, ({ key }) => key)) {
      if (first === undefined) continue;
      const { sizeBytes, modifiedMs } = first.status;
      const before = this.#seen.get(key);
      const isAsBefore = before?.sizeBytes === sizeBytes && before.modifiedMs === modifiedMs;
      const sinceMs = isAsBefore ? before.sinceMs : this.#ports.nowMs();
      seen.set(key, {
        key,
        names: [first, ...others].map(({ name }) => name),
        sizeBytes,
        modifiedMs,
        sinceMs,
      });
    }
    this.#seen = seen;
    return [...seen.values()].sort((a, b) => a.modifiedMs - b.modifiedMs || longestName(b) - longestName(a));
  }

  /** All of it, as it is now: what was written since it was last read is not. */
  #isUploaded({ key, sizeBytes, modifiedMs }: OnDisk): boolean {
    const followed = this.#files.find(key);
    return (
      followed?.isWhollyUploaded === true &&
      followed.sizeBytes === sizeBytes &&
      followed.modifiedMs === modifiedMs
    );
  }

  /** Removes a file's names where they still lead to it as it was seen. */
  async #remove(file: OnDisk): Promise<boolean> {
    const { folder, log } = this.#ports;
    try {
      for (const name of file.names) {
        const status = await folder.status(name).catch(() => undefined);
        if (status === undefined) continue;
        if (fileKey(status) !== file.key || status.sizeBytes !== file.sizeBytes) return false;
        await folder.remove(name);
      }
    } catch (refused) {
      if (!this.#isRefused)
        log.error("a log file cannot be removed; give log-manager the right to write in the folder", {
          component: this.#source.component,
          folder: this.#source.folder,
          reason: messageOf(refused),
        });
      this.#isRefused = true;
      return false;
    }
    const followed = this.#files.find(file.key);
    if (followed !== undefined) await this.#files.drop(followed);
    return true;
  }

  /** What was not read of a file; of one that cannot be read any more, its bytes alone. Nothing where it is gone. */
  async #unreadOf(
    file: OnDisk,
    followed: FollowedFile | undefined,
  ): Promise<{ bytes: number; lines: number } | undefined> {
    if (followed?.content !== undefined)
      return unreadFrom(followed.content, followed.read.offset, file.sizeBytes);
    const [name = ""] = file.names;
    const handle = await this.#ports.folder.open(name).catch(() => undefined);
    if (handle === undefined) return undefined;
    try {
      if (fileKey(await handle.status()) !== file.key) return undefined;
      const content = (await contentOf(handle, new DecodingRoom())) ?? plainContent(handle);
      return await unreadFrom(content, followed?.read.offset ?? 0, file.sizeBytes);
    } finally {
      await handle.close();
    }
  }
}

async function unreadFrom(
  content: Content,
  from: number,
  sizeBytes: number,
): Promise<{ bytes: number; lines: number }> {
  let bytes = 0;
  let lines = 0;
  let last = 10;
  try {
    for (let at = from; ;) {
      const chunk = await content.read(at, CHUNK_BYTES);
      if (chunk.length === 0) break;
      at += chunk.length;
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines++;
      last = chunk.at(-1) ?? last;
    }
  } catch {
    bytes = Math.max(bytes, sizeBytes - from);
  }
  // A last line without its end is one too.
  return { bytes, lines: lines + (last === 10 ? 0 : 1) };
}
