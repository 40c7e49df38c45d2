import { comparePositions, type Position } from "@coalmine/instrument";

export interface Kept extends Position {
  /** The reading as it goes over the line. */
  readonly line: Uint8Array;
}

/** The readings no host has acknowledged, oldest first; when full the oldest gives way and is counted. */
export class Ring {
  #kept: Kept[] = [];
  #overwritten = 0;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#kept.length;
  }
  get overwritten(): number {
    return this.#overwritten;
  }
  get oldest(): Kept | undefined {
    return this.#kept[0];
  }

  push(reading: Kept): void {
    this.#kept.push(reading);
    if (this.#kept.length > this.#capacity) {
      this.#kept.shift();
      this.#overwritten++;
    }
  }

  acknowledge(upTo: Position): void {
    this.#kept.splice(0, this.#indexAfter(upTo));
  }

  /** At most `limit` readings from `from` on. */
  from(from: Position, limit: number): readonly Kept[] {
    const start = this.#indexAfter({ boot: from.boot, sequence: from.sequence - 1 });
    return this.#kept.slice(start, start + limit);
  }

  /** How many of the kept come before or at `position`; they are in order. */
  #indexAfter(position: Position): number {
    let low = 0;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = this.#kept[middle];
      if (at !== undefined && comparePositions(at, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
