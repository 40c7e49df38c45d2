import { RE2JS, RE2JSException } from "re2js";

/**
 * A regular expression somebody else wrote, matched in time that is linear in the text. V8's own engine backtracks, so
 * that one pattern like `(a+)+$` and one unlucky line would stop every log of the device; whether a pattern can do that
 * cannot be told from it without refusing many good ones. RE2's engine has no such patterns. What it does not know
 * (look-around, back-references) is refused when the configuration is checked.
 */
export interface LinearPattern {
  test(text: string): boolean;
  /** The first match's group 1, or the whole match where there is no group. */
  capture(text: string): string | undefined;
  /** Every match as [start, end) in UTF-16 units, without overlaps, in order; empty ones are left out. */
  spans(text: string): readonly Span[];
}
export type Span = readonly [start: number, end: number];

/** Longer patterns are refused: compiling takes time and memory that grow with them. */
export const PATTERN_LENGTH_MAX = 1000;

/** @throws Error with RE2's own reason. */
export function linearPattern(pattern: string): LinearPattern {
  const compiled = RE2JS.compile(pattern);
  return {
    test: (text) => compiled.test(text),
    capture: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      return matcher.group(matcher.groupCount() > 0 ? 1 : 0) ?? undefined;
    },
    spans: (text) => {
      // The quick answer first: nearly every line has no match.
      if (!compiled.test(text)) return [];
      const found: Span[] = [];
      const matcher = compiled.matcher(text);
      while (matcher.find())
        if (matcher.end() > matcher.start()) found.push([matcher.start(), matcher.end()]);
      return found;
    },
  };
}

/** Why a pattern cannot be used, or nothing where it can. */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > PATTERN_LENGTH_MAX)
    return `at most ${PATTERN_LENGTH_MAX} characters are allowed, it has ${pattern.length}`;
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (refused) {
    if (!(refused instanceof RE2JSException)) throw refused;
    return `a regular expression in RE2's syntax is needed, which matches in linear time (no look-around, no back-references): ${refused.message}`;
  }
}
