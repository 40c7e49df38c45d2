import { BITS_MAX, REGISTERS_MAX, type ReadFunction } from "./request.ts";

/** Something that is wanted of a slave: so many registers or bits from `address` on. */
export interface Wanted {
  readonly function: ReadFunction;
  readonly address: number;
  readonly count: number;
}

/** One request, and which of the wanted it brings. */
export interface Block<Item extends Wanted> extends Wanted {
  readonly items: readonly Item[];
}

export interface PlanLimits {
  /** Registers that nobody wants are read along, up to so many between two that are: cheaper than another request. */
  readonly gapMax: number;
  /** Registers of one request; devices with small buffers take fewer than the specification's 125. */
  readonly registersMax: number;
}

/**
 * Merges what is wanted into few requests, and learns: where a device refuses a merged request, the gaps in it are holes
 * and are never read again; without gaps it is halved, until the one that it refuses stands alone.
 */
export class Planner<Item extends Wanted> {
  readonly #items: readonly Item[];
  readonly #limits: PlanLimits;
  /** Where a new request has to begin. */
  readonly #splits = new Set<Item>();
  #blocks: readonly Block<Item>[];

  constructor(items: readonly Item[], limits: PlanLimits) {
    this.#items = items.toSorted(
      (a, b) => a.function - b.function || a.address - b.address || a.count - b.count,
    );
    this.#limits = limits;
    this.#blocks = this.#plan();
  }

  get blocks(): readonly Block<Item>[] {
    return this.#blocks;
  }

  /** The device refused this block's addresses; the blocks to ask instead, or none where it holds a single item. */
  refused({ items }: Block<Item>): readonly Block<Item>[] {
    if (items.length < 2) return [];
    const holes = items.filter((item, index) => index > 0 && item.address > endOf(items.slice(0, index)));
    const half = items[items.length >> 1];
    for (const split of holes.length > 0 ? holes : half === undefined ? [] : [half]) this.#splits.add(split);
    this.#blocks = this.#plan();
    const affected = new Set(items);
    return this.#blocks.filter((block) => block.items.some((item) => affected.has(item)));
  }

  #plan(): Block<Item>[] {
    const blocks: Item[][] = [];
    for (const item of this.#items) {
      const last = blocks.at(-1);
      if (last !== undefined && this.#fits(last, item)) last.push(item);
      else blocks.push([item]);
    }
    return blocks.flatMap((items) => {
      const [first] = items;
      return first === undefined
        ? []
        : [{ function: first.function, address: first.address, count: endOf(items) - first.address, items }];
    });
  }

  #fits(block: readonly Item[], item: Item): boolean {
    const [first] = block;
    if (first === undefined || first.function !== item.function || this.#splits.has(item)) return false;
    const end = endOf(block);
    // Bits come sixteen to a register's room.
    const { gapMax, registersMax } = this.#limits;
    const scale = item.function <= 2 ? 16 : 1;
    const max =
      item.function <= 2 ? Math.min(BITS_MAX, scale * registersMax) : Math.min(REGISTERS_MAX, registersMax);
    return (
      item.address - end <= scale * gapMax && Math.max(end, item.address + item.count) - first.address <= max
    );
  }
}

function endOf(items: readonly Wanted[]): number {
  return Math.max(...items.map(({ address, count }) => address + count));
}
