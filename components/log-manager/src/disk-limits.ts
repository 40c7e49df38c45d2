import type { ForeignFolder, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { LogSource } from "./config.ts";
import { CHUNK_BYTES, fileKey, type FollowedFile } from "./followed-file.ts";
import type { FileSet } from "./file-set.ts";

/** A file that was written to more recently than this is left alone: its writer may not be done. */
const REMOVE_QUIET_MS = 5000;

export interface DiskLimitPorts {
  readonly folder: ForeignFolder;
  readonly log: Log;
  nowMs(): number;
  /** Unsent content that goes: what was never read of it. */
  lost(bytes: number, lines: number): void;
}

/**
 * Keeps a source's files within its limits, without asking whether the cloud can be reached. A file that may still be
 * written to is never removed: of somebody else's open file no space can be had back, so a single file that grows
 * beyond the limit stays.
 */
export class DiskLimits {
  readonly #source: LogSource;
  readonly #files: FileSet;
  readonly #ports: DiskLimitPorts;
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
    const nowMs = this.#ports.nowMs();
    const named = this.#files.inOrder().filter(({ names }) => names.length > 0);
    let total = named.reduce((sum, { sizeBytes }) => sum + Math.max(0, sizeBytes), 0);
    const removable = named.filter((file) => !file.isActive && nowMs - file.changedMs >= REMOVE_QUIET_MS);
    const uploaded = removable.filter((file) => file.isWhollyUploaded);
    for (const file of uploaded) {
      if (!deleteAfterUpload && total <= Math.min(softLimitBytes, hardLimitBytes)) break;
      if (await this.#remove(file)) total -= file.sizeBytes;
    }
    if (total <= hardLimitBytes) this.#isOver = false;
    for (const file of removable) {
      if (total <= hardLimitBytes) return;
      if (file.isWhollyUploaded) continue;
      const { sizeBytes } = file;
      // From here on nothing more is read of it: what is not read now is what is lost.
      file.isAbandoned = true;
      const unread = await unreadOf(file);
      if (!(await this.#remove(file))) {
        file.isAbandoned = false;
        continue;
      }
      total -= sizeBytes;
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

  /** Removes a file's names where they still lead to it as it was seen. */
  async #remove(file: FollowedFile): Promise<boolean> {
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
    await this.#files.drop(file);
    return true;
  }
}

/** What was not read of a file; of one that cannot be read any more, its bytes alone. */
async function unreadOf(file: FollowedFile): Promise<{ bytes: number; lines: number }> {
  let bytes = 0;
  let lines = 0;
  let last = 10;
  try {
    for (let at = file.read.offset; ;) {
      const chunk = (await file.content?.read(at, CHUNK_BYTES)) ?? new Uint8Array(0);
      if (chunk.length === 0) break;
      at += chunk.length;
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines++;
      last = chunk.at(-1) ?? last;
    }
  } catch {
    bytes = Math.max(bytes, file.tracked.seenBytes - file.read.offset);
  }
  // A last line without its end is one too.
  return { bytes, lines: lines + (last === 10 ? 0 : 1) };
}
