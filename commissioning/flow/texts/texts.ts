import type { RefusalReason } from "../../refusal.ts";
import type { Place } from "../answers.ts";
import type { Frame, Language, StepName, StepState } from "../screen.ts";
import { en } from "./en.ts";

/** Everything that a technician reads on the way, in one language. A missing text does not compile. */
export interface Texts {
  readonly frame: Frame;
  readonly steps: Readonly<Record<StepName, string>>;
  readonly states: Readonly<Record<StepState, string>>;
  /** What stopped a step, and what to do; the sentence with the values stands below it. */
  readonly refusals: Readonly<Record<RefusalReason, string>>;
  readonly busy: string;
  readonly moved: (step: string) => string;
  readonly notYet: (step: string) => string;
  readonly noSuchButton: (action: string) => string;
  readonly site: {
    readonly welcome: string;
    readonly serial: string;
    readonly fields: Readonly<Record<keyof Place, string>>;
    readonly hints: Readonly<Record<keyof Place, string>>;
    readonly keep: string;
  };
  readonly door: {
    readonly title: string;
    readonly ask: string;
    readonly open: string;
    readonly wrong: string;
    readonly shut: (seconds: number) => string;
  };
}

export const languageNames = {
  en: "English",
  es: "Español",
  pt: "Português",
  it: "Italiano",
  de: "Deutsch",
} as const;

export const texts: Readonly<Record<Language, Texts>> = { en, es: en, pt: en, it: en, de: en };
