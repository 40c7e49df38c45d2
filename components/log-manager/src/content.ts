import type { ForeignFolder } from "@coalmine/ports";
import { CompressedContent, type DecodingRoom } from "./compressed/compressed-content.ts";
import { formatOf, MAGIC_BYTES } from "./compressed/decoder.ts";
import { GzipDecoder } from "./compressed/gzip-decoder.ts";
import { ZstdDecoder } from "./compressed/zstd-decoder.ts";

/** An open log file of somebody else. */
export type LogHandle = Awaited<ReturnType<ForeignFolder["open"]>>;

/** The bytes of a log as its writer wrote them, whether the file holds them plain or compressed. */
export interface Content {
  readonly isCompressed: boolean;
  /** Fewer bytes than asked only at the end. */
  read(position: number, lengthBytes: number): Promise<Uint8Array>;
}

/** Endings of names that compressed files have beside the ones they had before. */
const endings = [".gz", ".zst"];

/** A file's name before it was compressed; the name itself where it tells of nothing such. */
export function uncompressedName(name: string): string {
  const ending = endings.find((one) => name.endsWith(one));
  return ending === undefined ? name : name.slice(0, -ending.length);
}

/** What is in an open file, by its first bytes; nothing where they are too few to tell. */
export async function contentOf(handle: LogHandle, room: DecodingRoom): Promise<Content | undefined> {
  const format = formatOf(await handle.read(0, MAGIC_BYTES));
  if (format === undefined) return undefined;
  if (format === "plain") return plainContent(handle);
  return new CompressedContent(
    handle,
    () => (format === "gzip" ? new GzipDecoder() : new ZstdDecoder()),
    room,
  );
}

export function plainContent(handle: LogHandle): Content {
  return { isCompressed: false, read: (position, lengthBytes) => handle.read(position, lengthBytes) };
}
