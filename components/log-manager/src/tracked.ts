import type { Crypto } from "@coalmine/ports";
import * as z from "zod";
import { FileStep } from "./clock/file-steps.ts";
import type { Content } from "./content.ts";

/** Bytes at the beginning of a file that tell it from others. */
export const HEAD_BYTES_MAX = 128;
/** Bytes right before an offset that must still be the ones that were read. */
export const MARK_BYTES = 64;
const NEWLINE = 10;
/** Digits of a hash that are kept. */
const HASH_DIGITS = 16;

/** How far a file is done with: everything before `offset` was acknowledged. */
export const Position = z.object({
  offset: z.int().nonnegative(),
  /** Hash of the bytes before `offset`. */
  mark: z.string(),
  /** `offset` stands inside a line. */
  isMidLine: z.boolean(),
});
export type Position = z.infer<typeof Position>;
export const START: Position = { offset: 0, mark: "", isMidLine: false };

/**
 * A log file by what it is, whatever it is called: device and inode, hash of its head, and hash of what stands before
 * the offset. Only where all agree is an offset good for a file; content that moved to another inode (a copy, a
 * compressed file) is found again by the hashes.
 */
export const Tracked = z.object({
  device: z.string(),
  inode: z.string(),
  /** Names its events: stays when the content moves to another inode. */
  id: z.string(),
  headBytes: z.int().min(0).max(HEAD_BYTES_MAX),
  head: z.string(),
  position: Position,
  /** The largest size it was seen with. */
  seenBytes: z.int().nonnegative(),
  /** `cut`: the inode holds something else now. `gone`: no name leads to it any more. */
  state: z.enum(["live", "cut", "gone"]),
  /** How the clock was set while it was watched; of lines that went already nothing is kept. */
  clockSteps: z.array(FileStep).default([]),
});
/**
 * `watchedFrom` is where what was written since log-manager started begins. Of the run before nothing is known there: it
 * is not in the schema, and so forgotten at every start.
 */
export type Tracked = z.infer<typeof Tracked> & { readonly watchedFrom?: number };

export function hash(content: Uint8Array | string, crypto: Crypto): string {
  return content.length === 0 ? "" : crypto.sha256Hex(content).slice(0, HASH_DIGITS);
}

/** The position `end` in bytes that begin at `from` in the file. */
export function positionAt(
  bytes: Uint8Array,
  from: number,
  end: number,
  isMidLine: boolean,
  crypto: Crypto,
): Position {
  const index = end - from;
  return {
    offset: end,
    mark: hash(bytes.subarray(Math.max(0, index - MARK_BYTES), index), crypto),
    isMidLine,
  };
}

/** Whether the content is the one that `tracked` tells of, as far as it was read. */
export async function isSame(
  content: Content,
  tracked: Pick<Tracked, "head" | "headBytes" | "position">,
  crypto: Crypto,
): Promise<boolean> {
  const { head, headBytes, position } = tracked;
  const first = await content.read(0, headBytes);
  if (first.length < headBytes || hash(first, crypto) !== head) return false;
  const from = Math.max(0, position.offset - MARK_BYTES);
  const before = await content.read(from, position.offset - from);
  return before.length === position.offset - from && hash(before, crypto) === position.mark;
}

/** The head of a file of which these are the first bytes. */
export function headOf(first: Uint8Array, crypto: Crypto): Pick<Tracked, "head" | "headBytes"> {
  const bytes = first.subarray(0, HEAD_BYTES_MAX);
  return { headBytes: bytes.length, head: hash(bytes, crypto) };
}

/**
 * The name of a file's events: of its inode and its first line (or the beginning of it), since those do not change
 * while it grows.
 */
export function idOf(device: string, inode: string, first: Uint8Array, crypto: Crypto): string {
  const newline = first.indexOf(NEWLINE);
  const line = first.subarray(0, Math.min(HEAD_BYTES_MAX, newline < 0 ? first.length : newline + 1));
  return hash(`${device}:${inode}:${hash(line, crypto)}`, crypto);
}

/** The name of one event: the same whenever it is sent again. */
export function eventId(id: string, offset: number, crypto: Crypto): string {
  return hash(`${id}:${offset}`, crypto);
}
