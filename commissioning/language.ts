import * as z from "zod";

/** The languages of technicians, by their codes (ISO 639-1), in the order in which they are offered. */
export const Language = z.enum(["en", "es", "pt", "it", "de"]);
export type Language = z.infer<typeof Language>;

/** Each in itself. */
export const languageNames: Readonly<Record<Language, string>> = {
  en: "English",
  es: "Español",
  pt: "Português",
  it: "Italiano",
  de: "Deutsch",
};
