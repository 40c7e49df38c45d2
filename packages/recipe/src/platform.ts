import * as z from "zod";
import { textWith } from "./rule.ts";

/** Attribute → `*`, `/regular expression/` or the exact value. */
export type PlatformPattern = Readonly<Record<string, string>>;

/** For these two attributes the words mean the same as `*`. */
const attributesWithWords = new Set(["os", "architecture"]);
const wildcardWords = new Set(["all", "any"]);

export const PlatformPatternSchema = z.record(
  z.string(),
  textWith(
    (value) => value === "*" || /^[a-zA-Z0-9]/.test(value) || expressionOf(value) !== undefined,
    "must be *, a /regular expression/, or a value that begins with a letter or digit",
    { code: "RECIPE_PARSE_ERROR", remedy: "write one of the three" },
  ),
  { error: "must be a map of attributes" },
);

/** Whether every attribute that the pattern names matches. Only `*` matches what the device does not have. */
export function platformMatches(
  pattern: PlatformPattern,
  platform: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(pattern).every(([attribute, wanted]) => {
    if (wanted === "*" || (attributesWithWords.has(attribute) && wildcardWords.has(wanted))) return true;
    const actual = platform[attribute];
    if (actual === undefined) return false;
    return expressionOf(wanted)?.test(actual) ?? wanted === actual;
  });
}

function expressionOf(pattern: string): RegExp | undefined {
  const source = /^\/(.+)\/$/s.exec(pattern)?.[1];
  if (source === undefined) return undefined;
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    return undefined;
  }
}
