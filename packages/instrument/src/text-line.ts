/** Longer lines are damage: NMEA 0183 allows 82 characters, other instruments a few hundred. */
export const LINE_BYTES_MAX = 1024;

export type LineRefusal = "long" | "checksum";

/**
 * Cuts bytes, in any chunks, into lines at `delimiter`; carriage returns and spaces around a line are dropped, and empty
 * lines are none. After a line that is too long it goes on at the next delimiter. Memory is bounded whatever arrives.
 */
export class LineDecoder {
  readonly #delimiter: Uint8Array;
  readonly #checksum: "none" | "nmea";
  readonly #line: (line: string) => void;
  readonly #refused: (why: LineRefusal) => void;
  #held = new Uint8Array(LINE_BYTES_MAX);
  #length = 0;
  #overlong = false;
  #matched = 0;

  /** `delimiter`: 1 to 4 ASCII characters, no two of which begin alike (as in a line feed, or CR LF). */
  constructor(
    options: { readonly delimiter: string; readonly checksum: "none" | "nmea" },
    told: { readonly line: (line: string) => void; readonly refused: (why: LineRefusal) => void },
  ) {
    this.#delimiter = new TextEncoder().encode(options.delimiter);
    this.#checksum = options.checksum;
    this.#line = told.line;
    this.#refused = told.refused;
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte === this.#delimiter[this.#matched]) {
        if (++this.#matched === this.#delimiter.length) this.#end();
        continue;
      }
      // What began like a delimiter and was none belongs to the line.
      for (let index = 0; index < this.#matched; index++) this.#keep(this.#delimiter[index] ?? 0);
      this.#matched = 0;
      if (byte === this.#delimiter[0]) this.#matched = 1;
      else this.#keep(byte);
    }
  }

  #keep(byte: number): void {
    if (this.#length === LINE_BYTES_MAX) this.#overlong = true;
    else this.#held[this.#length++] = byte;
  }

  #end(): void {
    const text = new TextDecoder().decode(this.#held.subarray(0, this.#length)).trim();
    const overlong = this.#overlong;
    this.#length = 0;
    this.#matched = 0;
    this.#overlong = false;
    if (overlong) return this.#refused("long");
    if (text === "") return;
    if (this.#checksum === "none") return this.#line(text);
    const content = nmeaContent(text);
    if (content === undefined) this.#refused("checksum");
    else this.#line(content);
  }
}

/**
 * What stands between `$` (or `!`) and `*` of an NMEA 0183 sentence with a right checksum, else undefined. Noise before the
 * `$` is passed over.
 */
export function nmeaContent(line: string): string | undefined {
  const match = /[$!]([^$!*]*)\*([0-9A-Fa-f]{2})$/.exec(line);
  const [, content = "", stated = ""] = match ?? [];
  return match !== null && nmeaChecksum(content) === Number.parseInt(stated, 16) ? content : undefined;
}

/** All characters between `$` and `*`, by exclusive or. */
export function nmeaChecksum(content: string): number {
  let sum = 0;
  for (let index = 0; index < content.length; index++) sum ^= content.charCodeAt(index) & 0xff;
  return sum;
}
