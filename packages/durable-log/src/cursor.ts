import type { Crypto, Files } from "@coalmine/ports";
import { invariant } from "@coalmine/runtime";
import { fromHex, toHex } from "./segment.ts";
import { Slots } from "./slots.ts";

const ENDING = ".cursor";
const EPOCH_BYTES = 16;

/** A cursor's file name, and its name by the file's, or undefined for another kind of file. */
export const cursorFile = (name: string): string => `${name}${ENDING}`;
export const cursorName = (file: string): string | undefined =>
  file.endsWith(ENDING) ? file.slice(0, -ENDING.length) : undefined;

export interface CursorPlace {
  readonly epoch: string;
  readonly done: number;
  readonly reserved: number;
}

/** Where a cursor stands by its file's value, or undefined where it was never moved. */
export function cursorPlace(value: Uint8Array | undefined): CursorPlace | undefined {
  if (value?.length !== EPOCH_BYTES + 16) return undefined;
  const view = new DataView(value.buffer, value.byteOffset);
  return {
    epoch: toHex(value.subarray(0, EPOCH_BYTES)),
    done: view.getFloat64(EPOCH_BYTES, true),
    reserved: view.getFloat64(EPOCH_BYTES + 8, true),
  };
}

/**
 * How far one reader is done with the log, durably: `done` is the last sequence it will never ask for again. Before
 * a reader tells the outside of a range of numbers it reserves them: the log never gives a reserved number to
 * another record, even where it lost the records behind it.
 */
export class Cursor {
  readonly #slots: Slots;
  #epoch: string;
  #done = 0;
  #reserved = 0;

  private constructor(slots: Slots) {
    this.#slots = slots;
    this.#epoch = "";
    const place = cursorPlace(slots.value);
    if (place === undefined) return;
    this.#epoch = place.epoch;
    this.#done = place.done;
    this.#reserved = place.reserved;
  }

  static async open(files: Files, folder: string, name: string, crypto: Crypto): Promise<Cursor> {
    return new Cursor(await Slots.open(files, folder, cursorFile(name), crypto));
  }

  get done(): number {
    return this.#done;
  }

  /** The end of the range that was reserved last; `done` where nothing is reserved. */
  get reserved(): number {
    return this.#reserved;
  }

  /** The epoch this cursor counts in, or "" where it was never moved. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Starts again in another epoch: the old numbers mean nothing there. Durable with the next move. */
  enter(epoch: string): void {
    if (this.#epoch === epoch) return;
    this.#epoch = epoch;
    this.#done = 0;
    this.#reserved = 0;
  }

  reserve(upTo: number): Promise<void> {
    return this.#save(this.#done, Math.max(upTo, this.#reserved));
  }

  advance(to: number): Promise<void> {
    invariant(to >= this.#done, `a cursor at ${this.#done} cannot go back to ${to}`);
    return this.#save(to, Math.max(to, this.#reserved));
  }

  close(): Promise<void> {
    return this.#slots.close();
  }

  async #save(done: number, reserved: number): Promise<void> {
    const bytes = new Uint8Array(EPOCH_BYTES + 16);
    bytes.set(fromHex(this.#epoch));
    const view = new DataView(bytes.buffer);
    view.setFloat64(EPOCH_BYTES, done, true);
    view.setFloat64(EPOCH_BYTES + 8, reserved, true);
    await this.#slots.save(bytes);
    this.#done = done;
    this.#reserved = reserved;
  }
}
