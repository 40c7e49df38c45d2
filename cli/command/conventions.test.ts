import { dirname } from "node:path";
import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { cliDocs, writtenCliDocs } from "../../test/cli-docs.ts";
import { answerNames } from "../answers/answers.ts";
import { exitCodes } from "../exit-codes.ts";
import { coalmineProgram } from "../program.ts";
import { places } from "../system/state.ts";
import type { CliCommand } from "./command.ts";

const at = places(dirname(dirname(import.meta.dirname)), {});
const program = coalmineProgram(at);
const verbs = program.verbs;
/** What prints a script, a schema or files, or stays and runs. */
const withoutJson = new Set([
  "coalmine up",
  "coalmine down",
  "coalmine schema",
  "coalmine completion",
  "coalmine judge export",
]);

test("each noun and single word of the design is there, and nothing else", () => {
  const nouns = ["rollout", "fleet", "device", "component", "judge", "queue", "cloud", "audit"];
  const words = ["up", "down", "simulate", "commission", "doctor", "why", "schema", "completion", "console"];
  expect(program.commands.map((one) => one.name()).sort()).toEqual([...nouns, ...words].sort());
});

test("whatever reads has --json and a schema, and every schema belongs to a command", () => {
  const without = verbs.filter(({ answerName }) => answerName === undefined).map(({ path }) => path);
  expect(without.sort()).toEqual([...withoutJson].sort());
  for (const verb of verbs)
    expect(
      verb.options.some(({ long }) => long === "--json"),
      verb.path,
    ).toBe(verb.answerName !== undefined);
  const used = new Set(verbs.map(({ answerName }) => answerName));
  // `doctor --cost` is another answer of the same command.
  expect(answerNames.filter((name) => !used.has(name))).toEqual(["cost"]);
});

test("names, descriptions and options follow the conventions", () => {
  for (const command of [...program.commands, ...verbs]) {
    expect(command.name()).toMatch(/^[a-z]+$/);
    expect(command.description(), command.name()).toMatch(/^[a-z].*[^.]$/);
  }
  for (const verb of verbs) {
    for (const { long, description, required, flags } of verb.options) {
      expect(long, verb.path).toMatch(/^--[a-z]+(-[a-z]+)*$/);
      expect(description, `${verb.path} ${flags}`).toMatch(/^(?!.*\.$)[a-z\d]/i);
      expect(flags.includes("<"), `${verb.path} ${flags}`).toBe(required);
    }
    for (const argument of verb.registeredArguments)
      expect(argument.description, `${verb.path} ${argument.name()}`).not.toBe("");
    const secret = verb.options.filter(({ long }) => /secret|password|token/.test(String(long)));
    expect(secret, "secrets are never words of a command").toEqual([]);
  }
});

test("each command has examples that it takes", async () => {
  for (const verb of verbs) {
    expect(verb.examples, verb.path).not.toEqual([]);
    for (const example of verb.examples) expect(await taken(example), example).toBe(verb.path);
  }
});

/** The command that would run; its work is left out. */
async function taken(example: string): Promise<string> {
  const tree = coalmineProgram(at);
  let ran = "";
  for (const verb of tree.verbs) verb.action(() => void (ran = verb.path));
  await tree.parseAsync(wordsOf(example).slice(1), { from: "user" });
  return ran;
}

/** As a shell splits them; what goes to a file is no word. */
function wordsOf(line: string): string[] {
  const command = line.replace(/ > .*$/, "");
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
}

test("docs/schemas, docs/cli.md and docs/cost.md are as the command is (run `npm run cli-docs`)", () => {
  expect(writtenCliDocs()).toEqual(cliDocs());
});

test("nonsense anywhere exits with 2 and says what was wrong and where to look", async () => {
  const wrong = (verb: CliCommand): string[][] => [
    [...pathWords(verb), "--nonsense"],
    [...pathWords(verb), ...verb.registeredArguments.map(() => "x"), "one", "too", "many"],
    ...verb.options
      .filter(
        ({ argChoices, parseArg, variadic }) =>
          argChoices !== undefined || (parseArg !== undefined && !variadic),
      )
      .filter(({ long }) => !["--key", "--state"].includes(String(long)))
      .map(({ long }) => [...pathWords(verb), String(long), "nonsense"]),
  ];
  for (const verb of verbs)
    for (const words of wrong(verb)) {
      const { code, said } = await refused(words);
      expect([code, said], words.join(" ")).toEqual([
        exitCodes.usage,
        expect.stringMatching(/^[^\n]+\n(\(.*\)\n)?`coalmine [a-z ]*--help` shows how it is used/),
      ]);
    }
});

test.each([
  [["rolout"], /unknown command 'rolout'\n\(Did you mean rollout\?\)/],
  [["rollout", "shw"], /unknown command 'shw'\n\(Did you mean show\?\)/],
  [["rollout", "show", "--jsn"], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
  [["rollout", "promote", "x"], /required option '--reason <text>' not specified/],
  [["completion", "csh"], /Allowed choices are bash, zsh, fish/],
])("%j is answered by what was meant", async (words, said) => {
  expect(await refused(words)).toEqual({ code: exitCodes.usage, said: expect.stringMatching(said) });
});

test("a noun without a verb says its verbs and exits with 2; help and version exit with 0", async () => {
  for (const noun of ["rollout", "fleet", "device"])
    expect((await refused([noun])).code).toBe(exitCodes.usage);
  for (const words of [["--help"], ["rollout", "show", "--help"], ["help", "rollout"], ["--version"]])
    expect((await refused(words)).code, words.join(" ")).toBe(0);
});

function pathWords({ path }: CliCommand): string[] {
  return path.split(" ").slice(1);
}

async function refused(words: readonly string[]): Promise<{ code: number; said: string }> {
  const tree = coalmineProgram(at);
  const said: string[] = [];
  for (const command of [tree, ...tree.commands, ...tree.verbs])
    command.configureOutput({ writeErr: (text) => void said.push(text), writeOut: () => undefined });
  for (const verb of tree.verbs) verb.action(() => undefined);
  try {
    await tree.parseAsync([...words], { from: "user" });
    return { code: 0, said: said.join("") };
  } catch (failure) {
    expect(failure).toBeInstanceOf(CommanderError);
    return { code: exitCodes.of(failure), said: said.join("") };
  }
}
