import type { CliCommand } from "../command.ts";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { type Place, placesOf } from "./places.ts";
import { zsh } from "./zsh.ts";

const scripts = { bash, zsh, fish } satisfies Readonly<Record<string, (places: readonly Place[]) => string>>;
export type Shell = keyof typeof scripts;
export const shells = Object.keys(scripts);

/** A script that completes the command as its tree is now; nothing runs while somebody types. */
export function completionOf(program: CliCommand, shell: Shell): string {
  return scripts[shell](placesOf(program));
}
