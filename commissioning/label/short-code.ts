import { createHash } from "node:crypto";
import { readCode, SYMBOLS, withCheck } from "@coalmine/contract/check-symbol";
import * as z from "zod";

const CODE_SYMBOLS = 8;

/** Eight symbols that stand for a thing, `XXXX-XXXX`, the last of them a check. Spaces, dashes and capitals count for nothing. */
export const ShortCode = z
  .string()
  .max(100)
  .transform((text, context) => {
    const code = readCode(text, CODE_SYMBOLS);
    if (code !== undefined) return code;
    context.addIssue({
      code: "custom",
      message: `"${text}" is no device's code: ${CODE_SYMBOLS} of ${SYMBOLS} are needed, and one of them is wrong`,
    });
    return z.NEVER;
  });

/** The same for a thing wherever it is asked: 27 billion codes, so that a fleet of 10,000 has two alike once in 550 fleets. */
export function shortCodeOf(thing: string): string {
  const digest = createHash("sha256").update(thing).digest();
  let number = digest.readUIntBE(0, 6);
  let symbols = "";
  while (symbols.length < CODE_SYMBOLS - 1) {
    symbols += SYMBOLS[number % SYMBOLS.length] ?? "";
    number = Math.floor(number / SYMBOLS.length);
  }
  return withCheck(symbols);
}
