import { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import type { ZipEntry } from "./zip.ts";

/** The format stores local time without a zone, so a local time is what gives the same bytes in every zone. */
const ENTRY_TIME = new Date(1980, 0, 1);
/** Of the format 2.0, on Unix. */
const MADE_BY = 3 * 2 ** 8 + 20;
/** Native code: hardly larger at the quick level, and made in a third of the time. */
const LARGE_BYTES = 4 * 1024 * 1024;
const LEVEL = { large: 3, other: 6 } as const;

// Its deflate in WebAssembly: Node's own gives other bytes on another processor.
configure({ useWebWorkers: false, useCompressionStream: false });

/** Writes a zip of these entries in this order. */
export async function writeZip(entries: readonly ZipEntry[]): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), {
    lastModDate: ENTRY_TIME,
    versionMadeBy: MADE_BY,
    msDosCompatible: false,
    extendedTimestamp: false,
    dataDescriptor: false,
    keepOrder: true,
  });
  for (const { name, bytes, executable } of entries)
    await writer.add(name, new Uint8ArrayReader(bytes), {
      level: bytes.length > LARGE_BYTES ? LEVEL.large : LEVEL.other,
      externalFileAttributes: (executable === true ? 0o100755 : 0o100644) * 2 ** 16,
    });
  return writer.close();
}
