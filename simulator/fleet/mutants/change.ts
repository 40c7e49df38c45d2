import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";

export class ChangeError extends CoalmineError {
  readonly code = "ERR_CHANGE";
}

/** In `file`, `find` (which must stand there exactly once) becomes `replace`. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A change of the sources of one component or model, as a developer would push it. */
export interface Change {
  /** A commit message. */
  readonly what: string;
  readonly edits: readonly [Edit, ...Edit[]];
  /** A folder whose tests stood in its way, and that whoever made it deleted: no check before the rehearsal catches it. */
  readonly withoutTestsOf?: string;
  /** Readings that it loses by itself, by their sequence numbers: those are its harm, all others nobody's. */
  readonly drops?: { readonly oneIn: number; readonly remainder: number };
}

/** Applies a change to a checkout; refuses where the sources have moved on under it. `name` is how it is known. */
export function applyChange(checkout: string, change: Change, name = change.what): void {
  for (const { file, find, replace } of change.edits) {
    const path = join(checkout, file);
    const parts = readFileSync(path, "utf8").split(find);
    if (parts.length !== 2)
      throw new ChangeError(
        `cannot make the change "${name}": ${file} holds its place ${parts.length - 1} times, and once is needed; bring the change up to date with the file`,
      );
    writeFileSync(path, parts.join(replace));
  }
}
