import { messageOf } from "@coalmine/runtime";
import { CommissioningRefused } from "./refusal.ts";

/** How the programs end that a device's timers run. */
export const EXIT = { done: 0, unexpected: 1, usage: 2, unreachable: 8 } as const;

/** Runs such a program and ends the process: a failure is said in one line, and a network that is away has its own code. */
export function endWith(program: Promise<number>): void {
  program.then(
    (code) => process.exit(code),
    (failure: unknown) => {
      const isRefusal = failure instanceof CommissioningRefused;
      process.stderr.write(`${isRefusal ? failure.sentence : messageOf(failure)}\n`);
      process.exit(isRefusal && failure.reason === "unreachable" ? EXIT.unreachable : EXIT.unexpected);
    },
  );
}
