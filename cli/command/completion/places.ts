import { CliCommand } from "../command.ts";

/** A word that may come next. */
export interface Word {
  readonly word: string;
  readonly what: string;
}

/** Where somebody can be in a line: behind `coalmine`, behind a noun, or behind a verb. */
export interface Place {
  /** `coalmine rollout show` */
  readonly path: string;
  readonly verbs: readonly Word[];
  readonly options: readonly Word[];
  /** Of its arguments: the words that one takes, where they are known. */
  readonly values: readonly string[];
  /** Option → the words that it takes; empty where it takes a file, a name or a number. */
  readonly optionValues: Readonly<Record<string, readonly string[]>>;
}

export function placesOf(command: CliCommand): Place[] {
  const below = command.commands.filter((one) => one instanceof CliCommand);
  const options = command.options.filter(
    ({ hidden, long }) => !hidden && long !== undefined && long !== null,
  );
  const own: Place = {
    path: command.path,
    verbs: below.map((one) => ({ word: one.name(), what: firstClause(one.description()) })),
    options: [
      ...options.map(({ long, description }) => ({ word: long ?? "", what: firstClause(description) })),
      { word: "--help", what: "how it is used, with examples" },
    ],
    values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    optionValues: Object.fromEntries(
      options
        .filter(({ required, optional }) => required || optional)
        .map(({ long, argChoices }) => [long ?? "", argChoices ?? []]),
    ),
  };
  return [own, ...below.flatMap(placesOf)];
}

/** Short, and without what a shell would take for its own. */
function firstClause(text: string): string {
  return (/^[^;:(]*/.exec(text)?.[0] ?? "").replaceAll(/[`'"$\\[\]]/g, "").trim();
}
