import * as z from "zod";
import { readCode, SYMBOLS, withCheck } from "./check-symbol.ts";

/** Finds the code's record; no secret. */
const CODE_ID_SYMBOLS = 4;
/** 31⁷ are 27 billion. */
const CODE_SECRET_SYMBOLS = 7;
const CODE_SYMBOLS = CODE_ID_SYMBOLS + CODE_SECRET_SYMBOLS + 1;

/** A one-time claim code, `XXXX-XXXX-XXXX`: an id, a secret, and a check symbol. */
export type ClaimCode = string & { readonly kind: "claim code" };

/** As people type it: spaces, dashes and capitals count for nothing. */
export const ClaimCodeText = z
  .string()
  .max(100)
  .transform((text, context): ClaimCode => {
    const code = readCode(text, CODE_SYMBOLS);
    if (code !== undefined) return branded(code);
    context.addIssue({
      code: "custom",
      message: `this is not a claim code, or a symbol of it is wrong: it has ${CODE_SYMBOLS} of the symbols ${SYMBOLS}`,
    });
    return z.NEVER;
  });

/** `next(n)` gives a whole number from 0 to n − 1 that nobody can guess. */
export function newClaimCode(next: (below: number) => number): ClaimCode {
  const length = CODE_ID_SYMBOLS + CODE_SECRET_SYMBOLS;
  return branded(withCheck(Array.from({ length }, () => SYMBOLS[next(SYMBOLS.length)] ?? "").join("")));
}

/** By which a code is spoken of where it is no secret: its first group. */
export function codeId(code: ClaimCode): string {
  return code.slice(0, CODE_ID_SYMBOLS);
}

function branded(code: string): ClaimCode {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that makes them.
  return code as ClaimCode;
}
