import { Worker } from "node:worker_threads";
import * as z from "zod";
import { writeZip } from "./write-zip.ts";

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}

/** Less than this is deflated sooner than a thread starts. */
const IN_THREAD_BYTES_MIN = 1024 * 1024;
const Written = z.instanceof(Uint8Array);

/**
 * A zip that depends on names and contents alone: names sorted by code unit, one time, no modes from the disk, and a
 * deflate that is the same on every processor. A large one is written in a thread of its own.
 */
export async function zip(entries: readonly ZipEntry[]): Promise<Uint8Array> {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const sizeBytes = sorted.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (sizeBytes < IN_THREAD_BYTES_MIN) return writeZip(sorted);
  const thread = new Worker(new URL("./zip-thread.ts", import.meta.url), { workerData: sorted });
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      thread.once("message", (message) => resolve(Written.parse(message)));
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`the thread that writes a zip ended with ${code}`)));
    });
  } finally {
    await thread.terminate();
  }
}
