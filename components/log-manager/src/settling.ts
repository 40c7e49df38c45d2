import type { Crypto } from "@coalmine/ports";
import { CompressedContent, type DecodingRoom } from "./compressed/compressed-content.ts";
import { contentOf } from "./content.ts";
import type { FollowedFile } from "./followed-file.ts";
import type { Forgotten } from "./forgotten.ts";
import { HEAD_BYTES_MAX, headOf, idOf, isSame, MARK_BYTES, type Position } from "./tracked.ts";

/** A file that begins like another is watched for this long: copytruncate cuts the other as soon as it has its copy. */
const COPY_WAIT_MS = 5000;
/** A compressed file is read when it has not grown for this long; when it is not whole it is given up after the other. */
export const COMPRESSED_QUIET_MS = 1000;
export const COMPRESSED_GIVE_UP_MS = 60_000;

/** Finds out of new files what they are: themselves, a copy of what was followed elsewhere, or compressed. */
export class Settling {
  readonly #crypto: Crypto;
  readonly #forgotten: Forgotten;
  readonly #old: ReadonlyMap<string, Pick<Position, "offset" | "mark">>;
  readonly #room: DecodingRoom;

  constructor(
    crypto: Crypto,
    forgotten: Forgotten,
    old: ReadonlyMap<string, Pick<Position, "offset" | "mark">>,
    room: DecodingRoom,
  ) {
    this.#crypto = crypto;
    this.#forgotten = forgotten;
    this.#old = old;
    this.#room = room;
  }

  /** Finds out whose content a new file holds: its own, or what moved there from a file that was cut or removed. */
  async settle(file: FollowedFile, all: Iterable<FollowedFile>, nowMs: number): Promise<boolean> {
    const { handle } = file;
    const crypto = this.#crypto;
    if (handle === undefined || file.sizeBytes === 0) return false;
    if (file.content?.isCompressed === false) {
      // It was opened perhaps before it had bytes to tell by, and perhaps has too few still.
      const found = await contentOf(handle, this.#room);
      if (found === undefined && nowMs - file.changedMs < COMPRESSED_GIVE_UP_MS) return false;
      if (found?.isCompressed === true) file.content = found;
    }
    const { content } = file;
    if (content === undefined) return false;
    let sizeBytes = file.sizeBytes;
    const compressed = content instanceof CompressedContent ? content : undefined;
    if (compressed !== undefined) {
      if (nowMs - file.changedMs < COMPRESSED_QUIET_MS) return false;
      sizeBytes = await compressed.size();
    }
    const others = [...all].filter(
      (other) =>
        other !== file && other.isSettled && !other.isAbandoned && other.content?.isCompressed === false,
    );
    // Still there uncompressed: its lines come from there, and this file's turn is when that one is removed.
    if (compressed !== undefined)
      for (const other of others) if (await holdsSame(compressed, sizeBytes, other)) return false;
    const found = await this.#forgotten.claim(content, sizeBytes, file);
    if (found !== undefined) {
      const { device, inode } = file.tracked;
      if (file.isKnown) this.#forgotten.add({ ...file.tracked, state: "cut" });
      file.tracked = { ...found, device, inode, watchedFrom: found.watchedFrom ?? sizeBytes };
      file.read = found.position;
    } else {
      if (compressed === undefined && nowMs - file.firstSeenMs < COPY_WAIT_MS) {
        const first = await content.read(0, HEAD_BYTES_MAX);
        for (const other of others) {
          const head = await other.content?.read(0, first.length);
          if (head?.length === first.length && headOf(head, crypto).head === headOf(first, crypto).head)
            return false;
        }
      }
      // When a compressed file was written that nobody knew before is not known.
      if (compressed !== undefined) file.tracked = { ...file.tracked, watchedFrom: sizeBytes };
      await this.#resumeOld(file);
    }
    file.noteContentBytes(sizeBytes);
    file.isSettled = true;
    return true;
  }

  /** Where the version before left a file, if it is still the same one. */
  async #resumeOld(file: FollowedFile): Promise<void> {
    const { content } = file;
    const old = this.#old.get(file.key);
    if (content === undefined || old === undefined || content.isCompressed) return;
    const crypto = this.#crypto;
    const position: Position = { ...old, isMidLine: false };
    if (!(await isSame(content, { headBytes: 0, head: "", position }, crypto))) return;
    const first = await content.read(0, Math.min(HEAD_BYTES_MAX, position.offset));
    const { device, inode } = file.tracked;
    file.tracked = {
      ...file.tracked,
      ...headOf(first, crypto),
      position,
      id: idOf(device, inode, first, crypto),
    };
    file.read = position;
  }
}

/** Whether compressed content is what another file begins with: its first and its last bytes stand there too. */
async function holdsSame(
  content: CompressedContent,
  sizeBytes: number,
  other: FollowedFile,
): Promise<boolean> {
  const last = Math.max(0, sizeBytes - MARK_BYTES);
  for (const [from, lengthBytes] of [
    [0, Math.min(HEAD_BYTES_MAX, sizeBytes)],
    [last, sizeBytes - last],
  ] as const) {
    const here = await content.read(from, lengthBytes);
    const there = await other.content?.read(from, lengthBytes);
    if (there?.length !== here.length || here.some((byte, index) => byte !== there[index])) return false;
  }
  return true;
}
