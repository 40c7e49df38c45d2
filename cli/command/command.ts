import { Command, CommanderError, type ErrorOptions } from "commander";
import type { AnswerName } from "../answers/answers.ts";

/** A noun, or a verb of one: what commander knows of it, with its examples and what its `--json` is. */
export class CliCommand extends Command {
  /** Whole lines, as somebody types them. */
  readonly examples: string[] = [];
  /** The schema of what it prints with `--json`; undefined where it has none. */
  answerName: AnswerName | undefined;

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name);
  }

  /** A line that somebody could type, without `coalmine`. */
  example(line: string): this {
    this.examples.push(`coalmine ${line}`);
    return this;
  }

  /** It takes `--json` and then prints that; `lines` where it prints one for each thing, as it comes. */
  answers(name: AnswerName, how: "once" | "lines" = "once"): this {
    this.answerName = name;
    const what = how === "once" ? "one line of JSON" : "a line of JSON each";
    return this.option("--json", `${what}, as \`coalmine schema ${name}\` has it`, false);
  }

  /** Its name as it is typed, from `coalmine` on. */
  get path(): string {
    return this.parent === null ? this.name() : `${pathOf(this.parent)} ${this.name()}`;
  }

  /** Every verb below it. */
  get verbs(): CliCommand[] {
    const below = this.commands.filter((one) => one instanceof CliCommand);
    return below.length === 0 ? [this] : below.flatMap((one) => one.verbs);
  }

  /** A wrong word is answered by a sentence and by where to look. */
  override error(message: string, options?: ErrorOptions): never {
    const sentence = message.replace(/^error: /, "");
    super.error(`${sentence}\n\`${this.path} --help\` shows how it is used, with examples`, options);
  }
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The root of the tree. Whoever asks for the shape of it hands in what adds to it. */
export function coalmine(version: string): CliCommand {
  return new CliCommand("coalmine")
    .description("Components, rollouts and fleets of AWS IoT Greengrass")
    .example("up")
    .example("rollout watch")
    .example("why COMPONENT_BROKEN")
    .example("doctor --aws --region eu-central-1")
    .version(version, "-V, --version", "its version")
    .configureHelp({
      commandDescription: (command) =>
        [
          command.description(),
          ...(command instanceof CliCommand && command.examples.length > 0
            ? ["", "Examples:", ...command.examples.map((line) => `  ${line}`)]
            : []),
        ].join("\n"),
      showGlobalOptions: false,
    })
    .exitOverride();
}

/** Whether commander has answered by itself: with help, with the version, or with what was wrong. */
export function isAnswered(failure: unknown): failure is CommanderError {
  return failure instanceof CommanderError;
}
