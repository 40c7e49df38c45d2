import type { Texts } from "./en.ts";

/** By their codes (ISO 639-1), each in itself, in the order in which they are offered. */
export const languageNames = { en: "English", es: "Español", pt: "Português", it: "Italiano", de: "Deutsch" };
export type Language = keyof typeof languageNames;
export const languages: readonly Language[] = ["en", "es", "pt", "it", "de"];

/** Each is a file of its own: a browser loads the one that is read. */
export const loadTexts: Readonly<Record<Language, () => Promise<Texts>>> = {
  en: () => import("./en.ts").then(({ en }) => en),
  es: () => import("./es.ts").then(({ es }) => es),
  pt: () => import("./pt.ts").then(({ pt }) => pt),
  it: () => import("./it.ts").then(({ it }) => it),
  de: () => import("./de.ts").then(({ de }) => de),
};

/** The first language of a person's own list that there is. */
export function languageOf(wanted: readonly string[]): Language {
  const codes = wanted.map((tag) => tag.slice(0, 2).toLowerCase());
  return codes.flatMap((code) => languages.filter((language) => language === code))[0] ?? "en";
}
