import * as z from "zod";
import { expectable, type Sentence } from "./expectable.ts";
import type { PlayedOnProcesses } from "../process/scenario/play-on-processes.ts";
import type { Played } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import type { Check } from "../evidence/checks.ts";

/** What a `{word}` of a sentence stands for. */
const holes: Readonly<Record<string, string>> = {
  count: "(\\d+)",
  percent: "(\\d+(?:\\.\\d+)?)",
  duration: "(\\d+(?:\\.\\d+)? (?:ms|s|min|h|d))",
  release: "(running|candidate)",
  component: "(coalmine\\.[A-Za-z.]+)",
  cause: "([a-z-]+)",
};

/** One sentence of a scenario, and how it is known whether it came true. */
export interface Expectation {
  readonly text: string;
  readonly check: (of: Played) => Check | Promise<Check>;
  /** The same of process devices; only where `isForProcesses`. */
  readonly checkOnProcesses: (of: PlayedOnProcesses) => Promise<Check>;
  readonly isForProcesses: boolean;
  /** It is true of the fleet as a whole, not of each device by itself. */
  readonly ofWhole: boolean;
  /** Why it can never come true in that scenario. */
  readonly impossible: (scenario: Omit<Scenario, "expect">) => string | undefined;
}

/** A sentence that somebody can check, in the words of `expectable.ts`. */
export const Expectation = z.string().transform((text, context): Expectation => {
  for (const sentence of expectable) {
    const words = matched(sentence, text);
    if (words === undefined) continue;
    return {
      text,
      ofWhole: sentence.ofWhole ?? false,
      check: async (of) => ({ name: text, ...(await sentence.check(of, words)) }),
      checkOnProcesses: async (of) => ({
        name: text,
        ...((await sentence.checkOnProcesses?.(of, words)) ?? { ok: false, found: "nobody looks there" }),
      }),
      isForProcesses: sentence.checkOnProcesses !== undefined,
      impossible: (scenario) => sentence.impossible?.(scenario, words),
    };
  }
  context.addIssue({
    code: "custom",
    message: `nobody can check "${text}"; what can be expected: ${expectable.map((one) => `"${one.words}"`).join(", ")}`,
  });
  return z.NEVER;
});

function matched({ words }: Sentence, text: string): readonly string[] | undefined {
  const pattern = words
    .split(/\{([a-z]+)\}/)
    .map((part, index) =>
      index % 2 === 0 ? part.replaceAll(/[.*+?^$()[\]\\|%]/g, "\\$&") : (holes[part] ?? part),
    )
    .join("");
  return new RegExp(`^${pattern}$`).exec(text)?.slice(1);
}
