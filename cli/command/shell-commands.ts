import { Argument } from "commander";
import { answerNames, isAnswerName, jsonSchemaOf } from "../answers/answers.ts";
import type { CliCommand } from "./command.ts";
import { type Shell, completionOf, shells } from "./completion/completion.ts";

/** What scripts and shells ask of the command itself. */
export function addShellCommands(program: CliCommand): void {
  program
    .command("schema")
    .addArgument(
      new Argument("[name]", "as a command's help names it; all names without one").choices(answerNames),
    )
    .description("the JSON Schema of what a command prints with --json")
    .example("schema")
    .example("schema rollout-show")
    .action((name: string | undefined) => {
      if (name === undefined) console.log(answerNames.join("\n"));
      else if (isAnswerName(name)) console.log(jsonSchemaOf(name));
    });
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "which one completes").choices(shells))
    .description("a script by which a shell completes nouns, verbs, options and their values")
    .example("completion bash > ~/.local/share/bash-completion/completions/coalmine")
    .example('completion zsh > "${fpath[1]}/_coalmine"')
    .example("completion fish > ~/.config/fish/completions/coalmine.fish")
    .action((shell: Shell) => console.log(completionOf(program, shell)));
}
