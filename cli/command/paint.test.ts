import { WriteStream } from "node:tty";
import { expect, onTestFinished, test, vi } from "vitest";
import { paint } from "./paint.ts";

/** A word as it is printed where standard output is, or is not, a terminal. */
function painted(isTerminal: boolean, environment: Record<string, string>): string {
  const { isTTY } = process.stdout;
  const depth = Object.getOwnPropertyDescriptor(process.stdout, "getColorDepth");
  for (const name of ["NO_COLOR", "FORCE_COLOR", "NODE_DISABLE_COLORS", "CI"])
    vi.stubEnv(name, environment[name]);
  vi.stubEnv("TERM", environment["TERM"] ?? "xterm-256color");
  process.stdout.isTTY = isTerminal;
  // A pipe has none; a terminal of its own asks the environment.
  process.stdout.getColorDepth = () => WriteStream.prototype.getColorDepth.call(process.stdout, process.env);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    process.stdout.isTTY = isTTY;
    if (depth === undefined) Reflect.deleteProperty(process.stdout, "getColorDepth");
    else Object.defineProperty(process.stdout, "getColorDepth", depth);
  });
  return paint("red", "FAIL");
}

test.each([
  ["on a terminal", true, {}, "\u001B[31mFAIL\u001B[39m"],
  ["on a terminal with NO_COLOR", true, { NO_COLOR: "1" }, "FAIL"],
  ["on a dumb terminal", true, { TERM: "dumb" }, "FAIL"],
  ["piped", false, {}, "FAIL"],
  ["piped with FORCE_COLOR", false, { FORCE_COLOR: "1" }, "\u001B[31mFAIL\u001B[39m"],
])("a word is coloured for terminals alone: %s", (_, isTerminal, environment, expected) => {
  expect(painted(isTerminal, environment)).toBe(expected);
});
