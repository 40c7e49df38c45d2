import type { Files } from "@coalmine/ports";

const CURRENT = "rejected.jsonl";
const FULL = /^rejected\.(\d+)\.jsonl$/;
const NEWLINE = 10;

/**
 * The files of dead letters in the work folder: a current one that is added to, and full ones by their numbers. One call
 * at a time; after one that rejected, what is on disk is to be looked at anew.
 */
export class LetterFiles {
  readonly #files: Files;
  /** Sizes of the full files by their numbers, oldest first. */
  readonly #full: Map<number, number>;
  #currentBytes: number;
  /** The last line of the current file has no end: the power went, or the disk was full. */
  #isTorn: boolean;

  private constructor(files: Files, full: Map<number, number>, currentBytes: number, isTorn: boolean) {
    this.#files = files;
    this.#full = full;
    this.#currentBytes = currentBytes;
    this.#isTorn = isTorn;
  }

  static async look(files: Files): Promise<LetterFiles> {
    const names = await files.list("");
    const numbers = names.flatMap((name) => FULL.exec(name)?.[1] ?? []).map(Number);
    const full = new Map<number, number>();
    for (const number of numbers.toSorted((a, b) => a - b))
      full.set(number, (await files.status(fullName(number))).sizeBytes);
    if (!names.includes(CURRENT)) return new LetterFiles(files, full, 0, false);
    const { sizeBytes } = await files.status(CURRENT);
    const last = await read(files, CURRENT, Math.max(0, sizeBytes - 1));
    return new LetterFiles(files, full, sizeBytes, sizeBytes > 0 && last[0] !== NEWLINE);
  }

  get currentBytes(): number {
    return this.#currentBytes;
  }

  get sizeBytes(): number {
    return [...this.#full.values()].reduce((sum, bytes) => sum + bytes, this.#currentBytes);
  }

  /** Numbers of the full files, oldest first. */
  get full(): readonly number[] {
    return [...this.#full.keys()];
  }

  /** Adds whole lines to the current file; they are on disk when this resolves. */
  async append(lines: Uint8Array): Promise<void> {
    const at = this.#currentBytes;
    const bytes = this.#isTorn ? Uint8Array.of(NEWLINE, ...lines) : lines;
    const file = await this.#files.open(CURRENT, "create");
    try {
      await file.write(at, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (at === 0) await this.#files.syncFolder("");
    this.#currentBytes += bytes.length;
    this.#isTorn = false;
  }

  /** The current file is the newest of the full ones from here on. */
  async fill(): Promise<void> {
    const number = (this.full.at(-1) ?? 0) + 1;
    await this.#files.rename(CURRENT, fullName(number));
    await this.#files.syncFolder("");
    this.#full.set(number, this.#currentBytes);
    this.#currentBytes = 0;
    this.#isTorn = false;
  }

  read(number: number): Promise<Uint8Array> {
    return read(this.#files, fullName(number), 0);
  }

  async remove(number: number): Promise<void> {
    await this.#files.remove(fullName(number));
    await this.#files.syncFolder("");
    this.#full.delete(number);
  }
}

/** How many letters there are in these bytes. */
export function lettersIn(bytes: Uint8Array): number {
  return bytes.reduce((lines, byte) => lines + Number(byte === NEWLINE), 0);
}

function fullName(number: number): string {
  return `rejected.${number}.jsonl`;
}

async function read(files: Files, name: string, from: number): Promise<Uint8Array> {
  const file = await files.open(name, "read");
  try {
    return await file.read(from, (await file.size()) - from);
  } finally {
    await file.close();
  }
}
