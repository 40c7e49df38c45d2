import type { Files } from "@coalmine/ports";

const PATH = "reserve";
/** Room for one checkpoint of a device with many instruments. */
const RESERVE_BYTES = 65_536;

/**
 * Room that is taken while there is some, and given back where the disk is full: carrying points away, which frees
 * the disk, must first write down what is carried.
 */
export class DiskReserve {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Takes the room where it is not taken yet; false where there is none. */
  async take(): Promise<boolean> {
    try {
      const file = await this.#files.open(PATH, "create");
      try {
        const sizeBytes = await file.size();
        if (sizeBytes < RESERVE_BYTES) {
          await file.write(sizeBytes, new Uint8Array(RESERVE_BYTES - sizeBytes));
          await file.sync();
        }
      } finally {
        await file.close();
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Runs `task`; where the disk is full, gives the room back and runs it once more. */
  async lend(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (failure) {
      const isFull = failure instanceof Error && "code" in failure && failure.code === "ENOSPC";
      if (!isFull || !(await this.#files.list("")).includes(PATH)) throw failure;
      await this.#files.remove(PATH);
      await this.#files.syncFolder("");
      await task();
    }
  }
}
