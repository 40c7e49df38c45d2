import type { Counted } from "../texts/counted.ts";
import type { Language } from "../texts/languages.ts";

/** The language as the browser's owner writes it, where that is known: "en-GB" rather than "en". */
function localeOf(language: Language): string {
  return navigator.languages.find((tag) => tag.startsWith(language) && WELL_FORMED.test(tag)) ?? language;
}
/** A browser without a language of its own names one that `Intl` refuses: "en-US@posix". */
const WELL_FORMED = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i;

/** A format takes longer to make than a hundred numbers to write with it, and a list writes its ages each second. */
function keptFormats<Format>(make: (locale: string) => Format): (language: Language) => Format {
  const made = new Map<Language, Format>();
  return (language) => {
    const known = made.get(language) ?? make(localeOf(language));
    made.set(language, known);
    return known;
  };
}
const numbers = (options: Intl.NumberFormatOptions) =>
  keptFormats((locale) => new Intl.NumberFormat(locale, options));
const times = (options: Intl.DateTimeFormatOptions) =>
  keptFormats((locale) => new Intl.DateTimeFormat(locale, options));

const inUnit = (unit: string) => numbers({ style: "unit", unit, unitDisplay: "short" });
const inSeconds = [1000, inUnit("second")] as const;
const durations = [
  [86_400_000, inUnit("day")],
  [3_600_000, inUnit("hour")],
  [60_000, inUnit("minute")],
] as const;
const instants = times({ dateStyle: "medium", timeStyle: "medium" });
const clocks = times({ timeStyle: "medium" });
const minutes = times({ timeStyle: "short" });
const counts = numbers({});
const plurals = keptFormats((locale) => new Intl.PluralRules(locale));
const shares = numbers({ style: "percent", maximumFractionDigits: 1 });
const measured = numbers({ maximumSignificantDigits: 3 });
const differences = numbers({ style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });

/** A duration in its largest unit that leaves at least one: "12 min". Of two whole units in a day it says only the larger. */
export function durationText(ms: number, language: Language): string {
  const [unitMs, format] = durations.find(([each]) => Math.abs(ms) >= each) ?? inSeconds;
  const value = Math.round((ms / unitMs) * (unitMs > 60_000 ? 10 : 1)) / (unitMs > 60_000 ? 10 : 1);
  return format(language).format(value);
}

/** An instant for people: on their own clock's zone, to the second, with the zone. */
export function timeText(atMs: number, language: Language): string {
  return instants(language).format(atMs);
}

export function clockText(atMs: number, language: Language): string {
  return clocks(language).format(atMs);
}

export function countText(count: number, language: Language): string {
  return counts(language).format(count);
}

/** For a text that differs for one and for many. */
export function counted(count: number, language: Language): Counted {
  return { text: countText(count, language), isOne: plurals(language).select(count) === "one" };
}

export function shareText(share: number, language: Language): string {
  return shares(language).format(share);
}

export function minuteText(atMs: number, language: Language): string {
  return minutes(language).format(atMs);
}

/** A measured figure, to three digits that mean something. */
export function figureText(value: number, language: Language): string {
  return measured(language).format(value);
}

/** A ratio to the baseline as its difference: 1.02 is "+2%". */
export function differenceText(ratio: number, language: Language): string {
  return differences(language).format(ratio - 1);
}
