import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { it } from "./it.ts";
import { pt } from "./pt.ts";
import type { Texts } from "./texts.ts";

/** Their codes (ISO 639-1), in the order in which they are offered. */
export const languageCodes = ["en", "es", "pt", "it", "de"] as const;
export type Language = (typeof languageCodes)[number];

export const languages: Readonly<Record<Language, Texts>> = { en, es, pt, it, de };
