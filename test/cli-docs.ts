import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { answerNames, jsonSchemaOf } from "../cli/answers/answers.ts";
import { commandsPage } from "../cli/command/commands-page.ts";
import { costOf } from "../cli/doctor/cost/cost.ts";
import { costPage } from "../cli/doctor/cost/cost-text.ts";
import { coalmineProgram } from "../cli/program.ts";
import { places } from "../cli/system/state.ts";

/** Makes docs/schemas, docs/cli.md and docs/cost.md out of the command: `npm run cli-docs` writes them, a test compares. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SCHEMAS = join(root, "docs/schemas");

/** Path below docs → what stands in it. */
export function cliDocs(): Map<string, string> {
  // Defaults that name the state folder would be this checkout's.
  const program = coalmineProgram(places(root, { COALMINE_STATE: ".coalmine" }));
  return new Map([
    ["cli.md", commandsPage(program, root)],
    ["cost.md", costPage(costOf(100))],
    ...answerNames.map((name): [string, string] => [`schemas/${name}.json`, `${jsonSchemaOf(name)}\n`]),
  ]);
}

/** What is there, as `cliDocs` gives it. */
export function writtenCliDocs(): Map<string, string> {
  const schemas = existsSync(SCHEMAS) ? readdirSync(SCHEMAS).map((file) => `schemas/${file}`) : [];
  return new Map(
    ["cli.md", "cost.md", ...schemas].map((file) => [file, readFileSync(join(root, "docs", file), "utf8")]),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  rmSync(SCHEMAS, { recursive: true, force: true });
  mkdirSync(SCHEMAS, { recursive: true });
  for (const [file, text] of cliDocs()) writeFileSync(join(root, "docs", file), text);
}
