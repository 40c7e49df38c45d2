import type { Language } from "../texts/languages.ts";

const SECOND_MS = 1000;
const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", SECOND_MS],
] as const;

/** The language as the browser's owner writes it, where that is known: "en-GB" rather than "en". */
function localeOf(language: Language): string {
  return navigator.languages.find((tag) => tag.startsWith(language) && WELL_FORMED.test(tag)) ?? language;
}
/** A browser without a language of its own names one that `Intl` refuses: "en-US@posix". */
const WELL_FORMED = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i;

/** A duration in its largest unit that leaves at least one: "12 min". Of two whole units in a day it says only the larger. */
export function durationText(ms: number, language: Language): string {
  const [unit, unitMs] = units.find(([, each]) => Math.abs(ms) >= each) ?? ["second", SECOND_MS];
  const value = Math.round((ms / unitMs) * (unitMs > 60_000 ? 10 : 1)) / (unitMs > 60_000 ? 10 : 1);
  return new Intl.NumberFormat(localeOf(language), { style: "unit", unit, unitDisplay: "short" }).format(
    value,
  );
}

/** An instant for people: on their own clock's zone, to the second, with the zone. */
export function timeText(atMs: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: "medium", timeStyle: "medium" }).format(
    atMs,
  );
}

export function clockText(atMs: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { timeStyle: "medium" }).format(atMs);
}

export function countText(count: number, language: Language): string {
  return new Intl.NumberFormat(localeOf(language)).format(count);
}

export function shareText(share: number, language: Language): string {
  return new Intl.NumberFormat(localeOf(language), { style: "percent", maximumFractionDigits: 1 }).format(
    share,
  );
}

export function minuteText(atMs: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { timeStyle: "short" }).format(atMs);
}

/** A measured figure, to three digits that mean something. */
export function figureText(value: number, language: Language): string {
  return new Intl.NumberFormat(localeOf(language), { maximumSignificantDigits: 3 }).format(value);
}

/** A ratio to the baseline as its difference: 1.02 is "+2%". */
export function differenceText(ratio: number, language: Language): string {
  return new Intl.NumberFormat(localeOf(language), {
    style: "percent",
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  }).format(ratio - 1);
}
