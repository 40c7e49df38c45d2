import { Command } from "commander";
import { vi } from "vitest";
import { exitCodes } from "./exit-codes.ts";

export interface Ran {
  /** What went to standard output. */
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Runs a command of `coalmine` in this process, as the program would. */
export async function runCommand(add: (program: Command) => void, ...words: string[]): Promise<Ran> {
  const lines: string[] = [];
  const errors: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(String(line)));
  const error = vi
    .spyOn(console, "error")
    .mockImplementation((line: unknown) => void errors.push(String(line)));
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    const program = new Command("coalmine").exitOverride();
    add(program);
    await program.parseAsync(words, { from: "user" });
    return { out: lines.join("\n"), err: errors.join("\n"), code: exitCode() };
  } catch (failure) {
    return { out: lines.join("\n"), err: String(failure), code: exitCodes.of(failure) };
  } finally {
    process.exitCode = before;
    log.mockRestore();
    error.mockRestore();
  }
}

/** A function, since the compiler believes that it is what it was set to above. */
const exitCode = (): number => Number(process.exitCode ?? 0);
