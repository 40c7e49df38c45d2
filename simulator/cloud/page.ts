/** One page of a list that is read by numbers: the token of the next is where it begins; undefined at the end. */
export function pageFrom<Item>(
  all: readonly Item[],
  start: number,
  size: number,
): { readonly items: readonly Item[]; readonly NextToken: string | undefined } {
  const end = start + size;
  return { items: all.slice(start, end), NextToken: end < all.length ? String(end) : undefined };
}
