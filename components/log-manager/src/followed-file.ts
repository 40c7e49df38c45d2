import type { Crypto, FileIdentity, FileStatus } from "@coalmine/ports";
import { CompressedContent } from "./compressed/compressed-content.ts";
import type { ClockStep } from "./clock/clock-watch.ts";
import {
  correctedMs,
  type EventTime,
  type FileStep,
  fileStep,
  retimed,
  withStep,
} from "./clock/file-steps.ts";
import type { Undecodable } from "./compressed/decoder.ts";
import type { Content, LogHandle } from "./content.ts";
import { headOf, HEAD_BYTES_MAX, isSame, MARK_BYTES, type Position, START, type Tracked } from "./tracked.ts";

/** What one read takes, and the longest piece of a line: its parts fit into one batch. */
export const CHUNK_BYTES = 768 * 1024;

/** Bytes of a file from `offset` on, behind the `from..offset` that prove that they belong there. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly offset: number;
  /** There is more than one chunk takes. */
  readonly isFull: boolean;
}

/** A file that log-manager follows: what it is, how far it was read, and the handle that outlives its names. */
export class FollowedFile {
  /** As `fileKey` has it: what it tracks may move in from elsewhere, the inode stays. */
  readonly key: string;
  tracked: Tracked;
  /** How far it was read; what is read and not acknowledged is on its way. */
  read: Position;
  handle: LogHandle | undefined;
  content: Content | undefined;
  /** What it is called at present; nothing when it was removed or renamed out of sight. */
  names: readonly string[] = [];
  sizeBytes = 0;
  modifiedMs = 0;
  /** When it was last seen to change, and when it was first seen, on the monotonic clock. */
  changedMs: number;
  readonly firstSeenMs: number;
  /** Whether it is known whose content it holds: its own, or a copy's. */
  isSettled: boolean;
  /** There may be something new in it. */
  isDirty = true;
  /** It may be written to at any time: never removed, and a line without its end is not its last. */
  isActive = true;
  /** Removed by us though unsent, or not readable: nothing more is taken from it. */
  isAbandoned = false;
  /** Why it cannot be decompressed as it is; a change of it is waited for. */
  fault: Undecodable | undefined;
  /** It could not be read, and that was said. */
  isReported = false;
  /** The offset of the unfinished line that was last shown. */
  shownOffset = -1;
  /** When what was last read of it is from, by the clock as it is now set: for lines that do not say. */
  last: (EventTime & { readonly offset: number }) | undefined;

  constructor(tracked: Tracked, nowMs: number, isSettled: boolean) {
    this.key = fileKey(tracked);
    this.tracked = tracked;
    this.read = tracked.position;
    this.changedMs = nowMs;
    this.firstSeenMs = nowMs;
    this.isSettled = isSettled;
  }

  /** Whether something of it was read before, by this run or an earlier one. */
  get isKnown(): boolean {
    return this.tracked.id !== "";
  }

  get isWhollyUploaded(): boolean {
    return !this.isDirty && this.isSettled && this.tracked.position.offset >= this.tracked.seenBytes;
  }

  /** Takes what the system says of it. True when it changed. */
  note(status: FileStatus, nowMs: number): boolean {
    if (status.sizeBytes === this.sizeBytes && status.modifiedMs === this.modifiedMs) return false;
    this.sizeBytes = status.sizeBytes;
    this.modifiedMs = status.modifiedMs;
    this.changedMs = nowMs;
    this.isDirty = true;
    return true;
  }

  noteContentBytes(sizeBytes: number): void {
    if (sizeBytes > this.tracked.seenBytes) this.tracked = { ...this.tracked, seenBytes: sizeBytes };
  }

  acknowledge(position: Position): void {
    const { clockSteps } = this.tracked;
    const open = clockSteps.length === 0 ? [] : clockSteps.filter(({ until }) => until > position.offset);
    this.tracked = { ...this.tracked, position, clockSteps: open };
  }

  /** Its size as its writer has it. */
  get contentBytes(): number {
    return this.content?.isCompressed === true ? this.tracked.seenBytes : Math.max(0, this.sizeBytes);
  }

  /** The clock was set: after `sureBytes` were written, and before there were more than `sizeBytes`. */
  noteStep(step: ClockStep, sureBytes: number, sizeBytes: number): FileStep | undefined {
    const made = fileStep(step, this.tracked, sureBytes, sizeBytes);
    this.tracked = withStep(this.tracked, step, made, sizeBytes);
    if (this.last !== undefined) this.last = { ...this.last, ...retimed(this.last, made) };
    return made;
  }

  /** When what stands at `offset` is from: as it states, else as what came before it, else as the file's own time. */
  timeAt(offset: number, statedMs: number | undefined): EventTime {
    if (statedMs === undefined && this.last !== undefined) return this.last;
    const toldMs = statedMs ?? Math.round(this.modifiedMs);
    const timestampMs = correctedMs(this.tracked.clockSteps, offset, toldMs, statedMs !== undefined);
    return { timestampMs, isCorrected: timestampMs !== toldMs };
  }

  /** Whether the inode still holds what was read of it. */
  async holdsWhatWasRead(crypto: Crypto): Promise<boolean> {
    return (
      this.content === undefined || isSame(this.content, { ...this.tracked, position: this.read }, crypto)
    );
  }

  /** What is new behind what was read; nothing where there is none, or where the file is no longer the one it was. */
  async chunk(crypto: Crypto): Promise<Chunk | undefined> {
    if (this.content === undefined || this.handle === undefined) return undefined;
    const { offset } = this.read;
    const from = Math.max(0, offset - MARK_BYTES);
    let wanted = CHUNK_BYTES;
    if (!this.content.isCompressed) {
      wanted = Math.min(CHUNK_BYTES, (await this.handle.size()) - offset);
      if (wanted <= 0) return undefined;
    }
    // What stands before the offset comes with the bytes themselves; its beginning does not.
    if (from > 0 && !(await isSame(this.content, { ...this.tracked, position: START }, crypto)))
      return this.#isAnother();
    const bytes = await this.content.read(from, offset - from + wanted);
    if (!(await isSame(overBytes(bytes, from), { head: "", headBytes: 0, position: this.read }, crypto)))
      return this.#isAnother();
    if (from === 0) {
      // The head comes from the same read as what is taken: nothing can change in between.
      const { headBytes, head } = this.tracked;
      if (headOf(bytes.subarray(0, headBytes), crypto).head !== head) return this.#isAnother();
      if (headBytes < HEAD_BYTES_MAX && bytes.length > headBytes)
        this.tracked = { ...this.tracked, ...headOf(bytes, crypto) };
    }
    this.noteContentBytes(from + bytes.length);
    if (bytes.length <= offset - from) return undefined;
    return { bytes, from, offset, isFull: bytes.length - (offset - from) >= CHUNK_BYTES };
  }

  /** The next look finds out what it has become. */
  #isAnother(): undefined {
    this.isDirty = true;
    return undefined;
  }

  async close(): Promise<void> {
    const { handle, content } = this;
    this.handle = undefined;
    this.content = undefined;
    if (content instanceof CompressedContent) content.leave();
    await handle?.close().catch(() => undefined);
  }
}

export function fileKey({ device, inode }: FileIdentity): string {
  return `${device}:${inode}`;
}

/** A file of which nothing is known yet. */
export function newlyTracked({ device, inode }: FileIdentity): Tracked {
  return {
    device,
    inode,
    id: "",
    headBytes: 0,
    head: "",
    position: START,
    seenBytes: 0,
    state: "live",
    clockSteps: [],
  };
}

/** Bytes that begin at `from` as content. */
function overBytes(bytes: Uint8Array, from: number): Content {
  return {
    isCompressed: false,
    read: async (position, lengthBytes) => bytes.subarray(position - from, position - from + lengthBytes),
  };
}
