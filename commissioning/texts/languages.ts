import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { it } from "./it.ts";
import { pt } from "./pt.ts";
import type { Texts } from "./texts.ts";

/** By their codes (ISO 639-1), in the order in which they are offered. */
export const languages = { en, es, pt, it, de } as const satisfies Readonly<Record<string, Texts>>;
