import { CliCommand } from "./command.ts";

/** `docs/cli.md`: every command with its words and examples, as its help says it. */
export function commandsPage(program: CliCommand, root: string): string {
  const told = (text: string): string => text.replaceAll(`${root}/`, "").replaceAll("|", "\\|");
  const nouns = program.commands.filter((one) => one instanceof CliCommand);
  return `# The command line

\`coalmine NOUN VERB\`, each with \`--help\`. Made from the command itself by \`npm run cli-docs\`.

Every command that reads has \`--json\`, whose shape is in [schemas](schemas/) and by \`coalmine schema NAME\`; what is told a person
may change with any version. Data goes to standard output, talk to standard error. Colour is for terminals alone; \`NO_COLOR\` takes it
away, \`FORCE_COLOR\` brings it anywhere. \`coalmine completion bash\`, \`zsh\` or \`fish\` prints a script by which the shell completes.

\`rollout\`, \`why\`, \`fleet\`, \`device\`, \`component list\`, \`judge\` and \`audit\` ask the system that runs on this machine, or an AWS account
where the environment names one: \`COALMINE_ACCOUNT\` with \`AWS_REGION\`, or \`COALMINE_TARGETS\` where there are several regions, and your
own credentials as any AWS program takes them ([what they have to allow](decisions/0009-people-have-policies-at-an-account.md)).

| exits | with |
| ---: | --- |
| 0 | done |
| 1 | unexpected, or a check that failed |
| 2 | wrong words or a file that cannot be used |
| 3 | halted or rolled back |
| 4 | not enough evidence: a person decides |
| 5 | timed out, or not yet |
| 6 | not signed in, or not allowed |
| 7 | conflict, or not found |
| 8 | unreachable, or nothing runs |
| 130 | interrupted |
${nouns.map((noun) => section(noun, told)).join("")}`;
}

function section(noun: CliCommand, told: (text: string) => string): string {
  return `\n## ${noun.name()}\n\n${told(sentence(noun.description()))}\n${noun.verbs.map((verb) => page(verb, noun, told)).join("")}`;
}

function page(verb: CliCommand, noun: CliCommand, told: (text: string) => string): string {
  const heading = verb === noun ? "" : `\n### ${verb.path}\n\n${told(sentence(verb.description()))}\n`;
  const words = [
    ...verb.registeredArguments.map(
      (argument) =>
        `| \`${argument.required ? `<${argument.name()}>` : `[${argument.name()}]`}\` | ${told(argument.description)} |`,
    ),
    ...verb.options.map(({ flags, description, argChoices, mandatory }) => {
      const choices = argChoices === undefined ? "" : `: ${argChoices.join(", ")}`;
      return `| \`${flags}\` | ${told(description)}${choices}${mandatory ? " (needed)" : ""} |`;
    }),
  ];
  const table = words.length === 0 ? "" : `\n| word | what |\n| --- | --- |\n${words.join("\n")}\n`;
  return `${heading}\n\`\`\`sh\n${told(verb.examples.join("\n"))}\n\`\`\`\n${table}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
