import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type Readable, Writable } from "node:stream";
import type { Console } from "./terminal.ts";

/** A console over a pair of streams, line by line. On a terminal nothing is shown of a secret that is typed. */
export function lineConsole(
  input: Readable,
  output: Writable,
  isTerminal: boolean,
): Console & { close(): void } {
  let isSecret = false;
  const echo = new Writable({
    write(typed, _encoding, done) {
      if (!isSecret) output.write(typed);
      done();
    },
  });
  const lines = createInterface({ input, output: echo, terminal: isTerminal });
  const typed: string[] = [];
  let isEnded = false;
  let wake = (): void => undefined;
  lines.on("line", (line) => {
    typed.push(line);
    wake();
  });
  lines.on("close", () => {
    isEnded = true;
    wake();
  });
  return {
    write: (text) => void output.write(text),
    async ask(prompt, secret) {
      output.write(prompt);
      isSecret = secret;
      while (typed.length === 0 && !isEnded) await new Promise<void>((resolve) => (wake = resolve));
      isSecret = false;
      if (secret && isTerminal) output.write("\n");
      return typed.shift();
    },
    read: (path) => readFile(path).catch(() => undefined),
    close: () => lines.close(),
  };
}
