import type { JsonObject } from "@coalmine/ports";

/** The nucleus puts no more into one message to AWS's own topics. */
export const PAYLOAD_BYTES_MAX = 128_000;

/** The entries in order, in as few messages as hold them; `roomBytes` is what a message has for them. */
export function inChunks(entries: readonly JsonObject[], roomBytes: number): JsonObject[][] {
  const chunks: JsonObject[][] = [[]];
  let bytes = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes + size > roomBytes && bytes > 0) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(entry);
    bytes += size;
  }
  return chunks;
}
