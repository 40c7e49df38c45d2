import { styleText } from "node:util";

/**
 * A word in colour, on standard output: where that is a terminal, unless `NO_COLOR` is set; with `FORCE_COLOR` anywhere.
 * Colour repeats what the word says, and never says it alone.
 */
export function paint(colour: "red" | "green" | "yellow" | "bold", text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}
