import { type Signal, signal } from "@preact/signals";
import { type SavedFilter, savedIn, savedText } from "../devices/saved-filters.ts";
import { type Language, languageOf, languages } from "../texts/languages.ts";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** What a person chose for their own browser; it stays there. */
export interface Choices {
  readonly language: Signal<Language>;
  readonly theme: Signal<Theme>;
  /** Whether one letter acts (WCAG 2.1.4: who dictates can switch that off). */
  readonly keys: Signal<boolean>;
  readonly filters: Signal<readonly SavedFilter[]>;
}

type Store = Pick<Storage, "getItem" | "setItem">;

export function readChoices(store: Store, wanted: readonly string[]): Choices {
  const language = languages.find((one) => one === store.getItem("language")) ?? languageOf(wanted);
  const theme = themes.find((one) => one === store.getItem("theme")) ?? "system";
  return {
    language: kept(store, "language", language),
    theme: kept(store, "theme", theme),
    keys: kept(store, "keys", store.getItem("keys") !== "false"),
    filters: kept(store, "filters", savedIn(store.getItem("filters")), savedText),
  };
}

function kept<Value>(
  store: Store,
  name: string,
  begin: Value,
  textOf: (value: Value) => string = String,
): Signal<Value> {
  const chosen = signal(begin);
  chosen.subscribe((value) => {
    if (value !== begin || store.getItem(name) !== null) store.setItem(name, textOf(value));
  });
  return chosen;
}
