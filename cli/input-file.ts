import { readFileSync, statSync } from "node:fs";
import { CoalmineError, messageOf } from "@coalmine/runtime";

/** A bundle of 20,000 devices with a look every five minutes of a day and ten metrics is about as large. */
const FILE_MEBIBYTES_MAX = 512;

export class InputFileError extends CoalmineError {
  readonly code = "ERR_INPUT_FILE";
}

/** The text of a file that somebody named on the command line. */
export function readInput(file: string, what: string): string {
  try {
    const { size } = statSync(file);
    if (size > FILE_MEBIBYTES_MAX * 1024 ** 2)
      throw new Error(`it has ${Math.round(size / 1024 ** 2)} MiB, and ${FILE_MEBIBYTES_MAX} are taken`);
    return readFileSync(file, "utf8");
  } catch (failure) {
    throw new InputFileError(`${file} cannot be read (${messageOf(failure)}); name ${what}`, {
      cause: failure,
    });
  }
}
