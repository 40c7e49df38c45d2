/** The `coalmine` command. Thin: each noun hands over to the part that knows. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { isAnswered } from "./command/command.ts";
import { exitCodes } from "./exit-codes.ts";
import { coalmineProgram } from "./program.ts";
import { places } from "./system/state.ts";

// Whoever reads our output may have read enough, as `head` has.
process.stdout.on("error", (failure: NodeJS.ErrnoException) => {
  if (failure.code !== "EPIPE") throw failure;
  process.exit(exitCodes.done);
});

try {
  await coalmineProgram(places(dirname(dirname(fileURLToPath(import.meta.url))), process.env)).parseAsync();
} catch (failure) {
  if (!isAnswered(failure)) {
    console.error(failure instanceof CoalmineError ? failure.message : messageOf(failure));
    if (!(failure instanceof CoalmineError) && failure instanceof Error) console.error(failure.stack);
  }
  process.exitCode = exitCodes.of(failure);
}
// Everything that was opened is closed by now; what a library still holds open (kept-alive sockets) must not hold us.
process.exit();
