import { type DeviceFilter, linkTo, placeOf } from "../place/place.ts";

/** A filter that somebody gave a name to, in their own browser. */
export interface SavedFilter {
  readonly name: string;
  readonly filter: DeviceFilter;
}

/** They stand above the list; more than these nobody finds. */
export const SAVED_MAX = 20;
export const NAME_CHARACTERS_MAX = 40;

/** In the order of their names; one of the same name takes the other's place, and beyond the bound nothing changes. */
export function saving(saved: readonly SavedFilter[], one: SavedFilter): readonly SavedFilter[] {
  const name = one.name.trim().slice(0, NAME_CHARACTERS_MAX);
  const others = saved.filter((other) => other.name !== name);
  if (name === "" || others.length >= SAVED_MAX) return saved;
  return [...others, { ...one, name }].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function forgetting(saved: readonly SavedFilter[], name: string): readonly SavedFilter[] {
  return saved.filter((one) => one.name !== name);
}

/** As it is kept: names with the links of their filters. */
export function savedText(saved: readonly SavedFilter[]): string {
  return JSON.stringify(saved.map(({ name, filter }) => [name, linkTo({ page: "devices", filter })]));
}

/** What was kept by another release, or by somebody's hand, may be anything: what is no saved filter is left out. */
export function savedIn(text: string | null): readonly SavedFilter[] {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  let saved: readonly SavedFilter[] = [];
  for (const pair of Array.isArray(kept) ? kept : []) {
    const [name, link]: unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof name !== "string" || typeof link !== "string") continue;
    const place = placeOf(link);
    if (place.page === "devices") saved = saving(saved, { name, filter: place.filter });
  }
  return saved;
}
