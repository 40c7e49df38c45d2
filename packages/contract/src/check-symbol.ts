/**
 * The symbols of codes that people type: none looks like another, and there are as many as a prime, so that the check
 * symbol finds every wrong symbol and every two that changed places.
 */
export const SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTVWXYZ";
const GROUP = /.{4}/g;

/** A code of so many symbols, the last of them its check, in groups of four; spaces, dashes and capitals count for nothing. */
export function readCode(text: string, length: number): string | undefined {
  const symbols = text.toUpperCase().replaceAll(/[\s-]/g, "");
  const isCode = symbols.length === length && checkOf(symbols.slice(0, -1)) === symbols.at(-1);
  return isCode ? grouped(symbols) : undefined;
}

/** Symbols with their check behind them, in groups of four. */
export function withCheck(symbols: string): string {
  return grouped(symbols + (checkOf(symbols) ?? ""));
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

function grouped(symbols: string): string {
  return (symbols.match(GROUP) ?? []).join("-");
}
