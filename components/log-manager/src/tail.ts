import type { Crypto, FileStatus, ForeignFolder } from "@coalmine/ports";
import { eventOf, type FileEvent, opensEvent } from "./log-event.ts";

/** How far one file was read and uploaded. `mark` is the hash of the bytes right before `offset`. */
export interface Position {
  readonly offset: number;
  readonly mark: string;
}

export interface Chunk {
  readonly name: string;
  readonly key: string;
  readonly status: FileStatus;
  readonly events: readonly FileEvent[];
  readonly lines: number;
  readonly next: Position;
  /** Bytes that can no longer be read: a file that was cut down under us. */
  readonly lostBytes: number;
  /** Nothing complete is left behind `next`. */
  readonly atEnd: boolean;
}

const READ_BYTES = 512 * 1024;
/** A line longer than this is taken without its end, so that one file cannot stop the others. */
const LINE_BYTES_MAX = 1024 * 1024;
const MARK_BYTES = 64;

/** A file's own name, whatever it is called now: rotation renames files, and offsets belong to the file. */
export function fileKey(status: FileStatus): string {
  return `${status.device}:${status.inode}`;
}

/**
 * Reads the next complete lines of a file from where it was left. Where the bytes before the offset are not those that
 * were read (cut down and written anew, or another file with the same inode) it starts at the beginning.
 */
export async function readOn(
  folder: ForeignFolder,
  name: string,
  at: Position | undefined,
  crypto: Crypto,
): Promise<Chunk> {
  const file = await folder.open(name);
  try {
    const status = await file.status();
    const size = await file.size();
    const resumed =
      at !== undefined && at.offset <= size && (await markAt(file, at.offset, crypto)) === at.mark;
    const offset = resumed ? at.offset : 0;
    // What was written behind the old offset and then cut away is unknown; the file's own shrinking is the least of it.
    const lostBytes = at !== undefined && !resumed ? Math.max(0, at.offset - size) : 0;
    let bytes = await file.read(offset, READ_BYTES);
    let end = bytes.lastIndexOf(10) + 1;
    while (
      end === 0 &&
      bytes.length === Math.min(size - offset, bytes.length) &&
      bytes.length < Math.min(size - offset, LINE_BYTES_MAX)
    ) {
      bytes = await file.read(offset, Math.min(bytes.length + READ_BYTES, LINE_BYTES_MAX));
      end = bytes.lastIndexOf(10) + 1;
    }
    if (end === 0 && bytes.length >= LINE_BYTES_MAX) end = codePointEnd(bytes);
    const complete = bytes.subarray(0, end);
    const { events, lines } = eventsOf(complete, status.modifiedMs);
    const next = { offset: offset + end, mark: "" };
    return {
      name,
      key: fileKey(status),
      status,
      events,
      lines,
      lostBytes,
      next: { ...next, mark: await markAt(file, next.offset, crypto) },
      atEnd: offset + bytes.length >= size,
    };
  } finally {
    await file.close();
  }
}

function eventsOf(bytes: Uint8Array, fallbackMs: number): { events: FileEvent[]; lines: number } {
  if (bytes.length === 0) return { events: [], lines: 0 };
  const lines = new TextDecoder().decode(bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const messages: string[] = [];
  for (const line of lines) {
    const last = messages.at(-1);
    // A line that opens nothing belongs to the event before it, with its newline: a stack trace stays readable.
    if (last !== undefined && !opensEvent(line) && opensEvent(last))
      messages[messages.length - 1] = `${last}\n${line}`;
    else messages.push(line);
  }
  let lastMs = fallbackMs;
  const events = messages
    .filter((message) => message.length > 0)
    .map((message) => {
      const event = eventOf(message, lastMs);
      lastMs = event.timestampMs;
      return event;
    });
  return { events, lines: lines.length };
}

async function markAt(
  file: { read(position: number, lengthBytes: number): Promise<Uint8Array> },
  offset: number,
  crypto: Crypto,
): Promise<string> {
  const from = Math.max(0, offset - MARK_BYTES);
  const hash = crypto.sha256(await file.read(from, offset - from));
  return Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The last place at which cutting does not break a UTF-8 sequence. */
function codePointEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  // The sequence that begins in the last three bytes may be unfinished.
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back] ?? 0;
    if ((byte & 0xc0) === 0xc0) return end - back;
    if (byte < 0x80) break;
  }
  return end;
}
