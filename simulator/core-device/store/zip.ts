import { Readable } from "node:stream";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";

export interface ZipEntry {
  /** `/`-separated, relative, without `..`; a folder's name ends with `/`. */
  readonly name: string;
  readonly bytes: () => Uint8Array;
  /** The same in pieces: an entry need not fit into memory, and nobody waits while it is unpacked. */
  readonly pieces: () => AsyncIterable<Uint8Array>;
}

/** A ZIP that cannot be used, or that tries to write outside the folder it is for. */
export class ZipError extends Error {
  override readonly name = "ZipError";
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/**
 * The entries of a ZIP by its central directory (stored and deflated ones; no ZIP64, no encryption). One whose entries say
 * that they have more than `bytesMax` together is refused, and no entry gives more than it says: a few bytes can be made
 * to unpack to any number.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function zipEntries(zip: Uint8Array, bytesMax: number): readonly ZipEntry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = endOfDirectory(view);
  const entries: ZipEntry[] = [];
  let bytes = 0;
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL)
      throw new ZipError(`the ZIP's directory is broken at byte ${at}; upload the artifact again`);
    const nameBytes = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameBytes));
    bytes += view.getUint32(at + 24, true);
    entries.push({ name: inside(name), ...content(zip, view, at, name) });
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  if (bytes > bytesMax)
    throw new ZipError(`the ZIP's entries have ${bytes} bytes, and there is room for ${bytesMax}; make room`);
  return entries;
}

/** What an entry holds, whole and in pieces. Its local header and its bytes are looked at when they are asked for. */
function content(
  zip: Uint8Array,
  view: DataView,
  at: number,
  name: string,
): Pick<ZipEntry, "bytes" | "pieces"> {
  const method = view.getUint16(at + 10, true);
  const checksum = view.getUint32(at + 16, true);
  const packedBytes = view.getUint32(at + 20, true);
  const sizeBytes = view.getUint32(at + 24, true);
  const local = view.getUint32(at + 42, true);
  const packed = (): Uint8Array => {
    if (local + 30 > view.byteLength || view.getUint32(local, true) !== LOCAL)
      throw new ZipError(`the ZIP's entry "${name}" is missing; upload the artifact again`);
    if (method !== 0 && method !== 8)
      throw new ZipError(`the ZIP's entry "${name}" is packed by method ${method}; use deflate`);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    return zip.subarray(start, start + packedBytes);
  };
  const fits = (bytes: number, sum: number): void => {
    if (bytes !== sizeBytes || sum !== checksum)
      throw new ZipError(`the ZIP's entry "${name}" does not fit its checksum; upload the artifact again`);
  };
  return {
    bytes() {
      const stored = packed();
      const bytes =
        method === 0 ? stored : inflateRawSync(stored, { maxOutputLength: Math.max(1, sizeBytes) });
      fits(bytes.byteLength, crc32(bytes));
      return bytes;
    },
    async *pieces() {
      const stored = packed();
      let [bytes, sum] = [0, 0];
      const unpacked: AsyncIterable<Uint8Array> =
        method === 0 ? Readable.from([stored]) : Readable.from([stored]).pipe(createInflateRaw());
      for await (const piece of unpacked) {
        bytes += piece.byteLength;
        if (bytes > sizeBytes) break;
        sum = crc32(piece, sum);
        yield piece;
      }
      fits(bytes, sum);
    },
  };
}

function endOfDirectory(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--)
    if (view.getUint32(at, true) === END) return at;
  throw new ZipError("the artifact is not a ZIP; set Unarchive to NONE, or upload a ZIP");
}

/** Zip-slip: an entry must stay below the folder it is extracted into. */
function inside(name: string): string {
  const path = name.replaceAll("\\", "/");
  if (
    path.startsWith("/") ||
    /^[A-Za-z]:/.test(path) ||
    path.includes("\0") ||
    path.split("/").includes("..")
  )
    throw new ZipError(`the ZIP's entry "${name}" would leave its folder; build the artifact anew`);
  return path;
}
