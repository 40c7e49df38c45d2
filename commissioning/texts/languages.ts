import type { Language } from "../language.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { it } from "./it.ts";
import { pt } from "./pt.ts";
import type { Texts } from "./texts.ts";

export const languages: Readonly<Record<Language, Texts>> = { en, es, pt, it, de };
