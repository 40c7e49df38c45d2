import { vi } from "vitest";
import { type CliCommand, coalmine, isAnswered } from "./command/command.ts";
import { exitCodes } from "./exit-codes.ts";

export interface Ran {
  /** What went to standard output. */
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Runs a command of `coalmine` in this process, as the program would. */
export async function runCommand(add: (program: CliCommand) => void, ...words: string[]): Promise<Ran> {
  const lines: string[] = [];
  const errors: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(String(line)));
  const error = vi
    .spyOn(console, "error")
    .mockImplementation((line: unknown) => void errors.push(String(line)));
  const before = process.exitCode;
  const environment = { ...process.env };
  process.exitCode = undefined;
  try {
    const program = coalmine("0.0.0").configureOutput({
      writeOut: (text) => void lines.push(text),
      writeErr: (text) => void errors.push(text),
    });
    add(program);
    await program.parseAsync(words, { from: "user" });
    return { out: lines.join("\n"), err: errors.join("\n"), code: exitCode() };
  } catch (failure) {
    return {
      out: lines.join("\n"),
      err: isAnswered(failure) ? errors.join("\n") : String(failure),
      code: exitCodes.of(failure),
    };
  } finally {
    process.exitCode = before;
    // A command's environment is its process's, and this one has others after it.
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    log.mockRestore();
    error.mockRestore();
  }
}

/** A function, since the compiler believes that it is what it was set to above. */
const exitCode = (): number => Number(process.exitCode ?? 0);
