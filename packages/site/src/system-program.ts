import { spawn } from "node:child_process";
import { type Ended, NO_SUCH_PROGRAM, type RunProgram } from "./program.ts";

/** More is cut: a scan of a thousand networks is a tenth of it. */
const OUTPUT_CHARACTERS_MAX = 1024 * 1024;

/** The machine's own programs. */
export const systemProgram: RunProgram = async (command, args, { stdin, signal } = {}) => {
  signal?.throwIfAborted();
  // Node hands a child a socket, which cannot be opened by its name /dev/stdin; behind `cat` it is a pipe.
  const [program, given] =
    stdin === undefined ? [command, args] : ["sh", ["-c", 'cat | "$@"', "sh", command, ...args]];
  const child = spawn(program, given, {
    // Plain C would print a question mark for each letter of a network's name that is not ASCII.
    env: { ...process.env, LC_ALL: "C.UTF-8", LANGUAGE: "" },
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const stop = () => child.kill();
  signal?.addEventListener("abort", stop, { once: true });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout = (stdout + text).slice(0, OUTPUT_CHARACTERS_MAX);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(0, OUTPUT_CHARACTERS_MAX);
  });
  // A program that ends before it has read everything says so by its code.
  child.stdin?.on("error", () => {});
  child.stdin?.end(stdin);
  const ended = await new Promise<Ended>((resolve) => {
    let isMissing = false;
    child.on("error", () => {
      isMissing = true;
    });
    child.on("close", (code) => resolve({ code: isMissing ? NO_SUCH_PROGRAM : (code ?? 1), stdout, stderr }));
  });
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  return ended;
};
