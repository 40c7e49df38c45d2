import * as z from "zod";

/** A number of a configuration; what is refused is told with both ends of what may be. */
export function within(least: number, most: number): z.ZodNumber {
  const told = `must be ${shown(least)} to ${shown(most)}`;
  return z.number(told).min(least, told).max(most, told);
}

/** As `within`, of whole numbers. */
export function wholeWithin(least: number, most: number): z.ZodInt {
  const told = `must be a whole number from ${shown(least)} to ${shown(most)}`;
  return z.int(told).min(least, told).max(most, told);
}

function shown(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
