/** The smallest part that was found, and whether nothing smaller was left to try. */
export interface Shrunk<Item> {
  readonly items: readonly Item[];
  readonly runs: number;
  /** False where the bound on runs ended the search: something smaller may fail too. */
  readonly isSmallest: boolean;
}

/**
 * Makes a failing list shorter by delta debugging: leaves parts out, ever smaller ones, and keeps what still fails.
 * When it ends by itself, no single item can be left out.
 * @see Zeller and Hildebrandt, Simplifying and isolating failure-inducing input, IEEE TSE 28 (2002) 183
 */
export async function shrink<Item>(
  failing: readonly Item[],
  fails: (items: readonly Item[]) => Promise<boolean>,
  runsMax: number,
): Promise<Shrunk<Item>> {
  let items = failing;
  let parts = 2;
  let runs = 0;
  const tried = async (candidate: readonly Item[]): Promise<boolean> => {
    runs++;
    return fails(candidate);
  };
  // Often it is not the faults at all.
  if (items.length > 0 && runsMax > 0 && (await tried([]))) return { items: [], runs, isSmallest: true };
  while (items.length > 1) {
    const size = Math.ceil(items.length / parts);
    let smaller: readonly Item[] | undefined;
    for (let at = 0; at < items.length && smaller === undefined; at += size) {
      if (runs >= runsMax) return { items, runs, isSmallest: false };
      const rest = [...items.slice(0, at), ...items.slice(at + size)];
      // The empty list passed.
      if (rest.length > 0 && (await tried(rest))) smaller = rest;
    }
    if (smaller !== undefined) {
      items = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) break;
    else parts = Math.min(items.length, parts * 2);
  }
  return { items, runs, isSmallest: true };
}
