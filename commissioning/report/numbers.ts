import type { Language } from "../language.ts";

const SECOND_MS = 1000;
/** UCUM codes that people write otherwise. @see https://ucum.org */
const WRITTEN: Readonly<Record<string, string>> = { "1": "", Cel: "°C", "[degF]": "°F" };

/** Numbers and times as they are written in a language. */
export class Numbers {
  readonly #language: Language;
  readonly #times: Intl.DateTimeFormat;

  constructor(language: Language, timeZone: string) {
    this.#language = language;
    this.#times = new Intl.DateTimeFormat(language, {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hour12: false,
      timeZoneName: "shortOffset",
    });
  }

  instant(iso: string): string {
    return this.#times.format(new Date(iso));
  }

  value(value: number, ucum: string): string {
    const unit = WRITTEN[ucum] ?? ucum.replaceAll(".", "·");
    const number = new Intl.NumberFormat(this.#language, { maximumSignificantDigits: 4 }).format(value);
    return unit === "" ? number : `${number} ${unit}`;
  }

  share(share: number): string {
    return new Intl.NumberFormat(this.#language, { style: "percent", maximumFractionDigits: 2 }).format(
      share,
    );
  }

  seconds(ms: number): string {
    return new Intl.NumberFormat(this.#language, { maximumFractionDigits: 1 }).format(ms / SECOND_MS);
  }
}
