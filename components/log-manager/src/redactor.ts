import type { Config } from "./config.ts";
import { linearPattern, type LinearPattern, type Span } from "./linear-pattern.ts";
import { presets } from "./redaction-presets.ts";

/** Replaces what must not leave the device. What it gives is what may be stored, sent and published. */
export class Redactor {
  readonly #rules: readonly { readonly name: string; readonly pattern: LinearPattern }[];
  /** Whether the lines of a PEM block must stay in one event, so that the block is seen whole. */
  readonly keepsPemBlocks: boolean;

  constructor(redaction: Config["redaction"]) {
    this.keepsPemBlocks = redaction.presets.includes("pemBlock");
    this.#rules = [
      ...redaction.presets.flatMap((name) =>
        presets[name].map((text) => ({ name, pattern: linearPattern(text) })),
      ),
      ...redaction.patterns.map(({ name, pattern }) => ({ name, pattern: linearPattern(pattern) })),
    ];
  }

  get isIdle(): boolean {
    return this.#rules.length === 0;
  }

  /** The text without its secrets, and how many were replaced. Each becomes `[name of the rule]`. */
  redact(text: string): { readonly text: string; readonly replaced: number } {
    let clean = text;
    let replaced = 0;
    for (const { name, pattern } of this.#rules) {
      const spans = pattern.spans(clean);
      if (spans.length === 0) continue;
      replaced += spans.length;
      clean = withoutSpans(clean, spans, `[${name}]`);
    }
    return { text: clean, replaced };
  }

  /** A place at or before `cut` (in UTF-16 units) where no secret is cut in two, so that both halves are still found. */
  safeCut(text: string, cut: number): number {
    let safe = cut;
    for (let moved = true; moved;) {
      moved = false;
      for (const { pattern } of this.#rules)
        for (const [start, end] of pattern.spans(text))
          if (start > 0 && start < safe && end > safe) {
            safe = start;
            moved = true;
          }
    }
    return safe;
  }
}

function withoutSpans(text: string, spans: readonly Span[], instead: string): string {
  let clean = "";
  let at = 0;
  for (const [start, end] of spans) {
    clean += text.slice(at, start) + instead;
    at = end;
  }
  return clean + text.slice(at);
}
