import * as z from "zod";

/**
 * The symbols of a claim code: none looks like another, and there are as many as a prime, so that the check symbol
 * finds every wrong symbol and every two that changed places.
 */
const SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTVWXYZ";
const GROUP_SYMBOLS = 4;
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
    const symbols = text.toUpperCase().replaceAll(/[\s-]/g, "");
    if (symbols.length === CODE_SYMBOLS && checkOf(symbols.slice(0, -1)) === symbols.at(-1))
      return grouped(symbols);
    context.addIssue({
      code: "custom",
      message: `this is not a claim code, or a symbol of it is wrong: it has ${CODE_SYMBOLS} of the symbols ${SYMBOLS}`,
    });
    return z.NEVER;
  });

/** `next(n)` gives a whole number from 0 to n − 1 that nobody can guess. */
export function newClaimCode(next: (below: number) => number): ClaimCode {
  const length = CODE_ID_SYMBOLS + CODE_SECRET_SYMBOLS;
  const symbols = Array.from({ length }, () => SYMBOLS[next(SYMBOLS.length)] ?? "").join("");
  return grouped(symbols + (checkOf(symbols) ?? ""));
}

/** By which a code is spoken of where it is no secret: its first group. */
export function codeId(code: ClaimCode): string {
  return code.slice(0, CODE_ID_SYMBOLS);
}

/** Undefined where a symbol is none of ours. */
function checkOf(symbols: string): string | undefined {
  let sum = 0;
  for (let index = 0; index < symbols.length; index++) {
    const value = SYMBOLS.indexOf(symbols.charAt(index));
    if (value < 0) return undefined;
    sum += (index + 1) * value;
  }
  return SYMBOLS[sum % SYMBOLS.length];
}

function grouped(symbols: string): ClaimCode {
  const groups = symbols.match(new RegExp(`.{${GROUP_SYMBOLS}}`, "g")) ?? [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that makes them.
  return groups.join("-") as ClaimCode;
}
