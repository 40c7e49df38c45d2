import { createHash } from "node:crypto";
import * as z from "zod";

/** None looks like another when written by hand, and they are 31, a prime: the check finds each single slip. */
const SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTVWXYZ";
const HALF = 4;
const SYMBOLS_MAX = 2 * HALF;

/** Eight symbols that stand for a thing, `XXXX-XXXX`, the last of them a check. Spaces, dashes and capitals count for nothing. */
export const ShortCode = z
  .string()
  .max(100)
  .transform((text, context) => {
    const symbols = text.toUpperCase().replaceAll(/[\s-]/g, "");
    if (symbols.length === SYMBOLS_MAX && checkOf(symbols.slice(0, -1)) === symbols.at(-1))
      return grouped(symbols);
    context.addIssue({
      code: "custom",
      message: `"${text}" is no device's code: ${SYMBOLS_MAX} of ${SYMBOLS} are needed, and one of them is wrong`,
    });
    return z.NEVER;
  });

/** The same for a thing wherever it is asked: 27 billion codes, so that a fleet of 10,000 has two alike once in 550 fleets. */
export function shortCodeOf(thing: string): string {
  const digest = createHash("sha256").update(thing).digest();
  let number = digest.readUIntBE(0, 6);
  let symbols = "";
  while (symbols.length < SYMBOLS_MAX - 1) {
    symbols += SYMBOLS[number % SYMBOLS.length] ?? "";
    number = Math.floor(number / SYMBOLS.length);
  }
  return grouped(symbols + (checkOf(symbols) ?? ""));
}

/** Undefined where a symbol is none of ours. */
function checkOf(symbols: string): string | undefined {
  const values = Array.from(symbols).map((symbol) => SYMBOLS.indexOf(symbol));
  if (values.includes(-1)) return undefined;
  return SYMBOLS[values.reduce((sum, value, index) => sum + (index + 1) * value, 0) % SYMBOLS.length];
}

function grouped(symbols: string): string {
  return `${symbols.slice(0, HALF)}-${symbols.slice(HALF)}`;
}
