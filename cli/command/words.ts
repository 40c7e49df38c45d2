import { InvalidArgumentError } from "commander";

/** Takes a whole number between two, and says both where it is given anything else. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (word: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  return (word) => {
    const value = Number(word);
    if (/^\d+$/.test(word) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It takes a whole number ${range}.`);
  };
}

/** Takes a number above zero. */
export function positiveNumber(word: string): number {
  const value = Number(word);
  if (/^\d+(\.\d+)?$/.test(word) && value > 0) return value;
  throw new InvalidArgumentError("It takes a number above zero.");
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Takes `90s`, `10m`, `2h` or `1d`, up to so many days; gives ms. */
export function duration(daysMax: number): (word: string) => number {
  return (word) => {
    const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(word) ?? [];
    const ms = Object.entries(unitMs).find(([name]) => name === unit)?.[1] ?? 0;
    const durationMs = Number(digits) * ms;
    if (durationMs > 0 && durationMs <= daysMax * unitMs.d) return durationMs;
    throw new InvalidArgumentError(`It takes a duration such as 90s, 10m, 2h or 1d, ${daysMax}d at most.`);
  };
}
