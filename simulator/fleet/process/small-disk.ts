import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";

/** A disk of a device's own could not be made. */
export class NoSmallDisk extends CoalmineError {
  readonly code = "ERR_SMALL_DISK";
}

const SIZE_MIB = 64;
const BALLAST = ".full";
/** Down to the last page. */
const CHUNK_BYTES = 4096;

/** A disk so small that it can be filled without anybody else's being touched: a folder in memory, which root may mount. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws NoSmallDisk */
  static mount(folder: string): SmallDisk {
    mkdirSync(folder, { recursive: true });
    system("mount", "-t", "tmpfs", "-o", `size=${SIZE_MIB}m,mode=0755`, "coalmine", folder);
    return new SmallDisk(folder);
  }

  /** Until nothing fits any more. */
  fill(): void {
    const ballast = openSync(join(this.folder, BALLAST), "a");
    try {
      for (const bytes of [Buffer.alloc(1024 * 1024), Buffer.alloc(CHUNK_BYTES)])
        while (written(ballast, bytes));
    } finally {
      closeSync(ballast);
    }
  }

  free(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }

  /** What still has it open keeps it until it ends. */
  unmount(): void {
    system("umount", "--lazy", this.folder);
  }
}

function written(file: number, bytes: Uint8Array): boolean {
  try {
    return writeSync(file, bytes) > 0;
  } catch (failure) {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOSPC") return false;
    throw failure;
  }
}

function system(program: string, ...words: string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (status === 0) return;
  throw new NoSmallDisk(
    `${program} ${words.join(" ")}: ${error?.message ?? stderr.trim()}; disk-full on process devices needs root, and the right to mount`,
  );
}
