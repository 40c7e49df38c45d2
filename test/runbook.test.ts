import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { coalmineProgram } from "../cli/program.ts";
import { places } from "../cli/system/state.ts";

const root = dirname(import.meta.dirname);
const folder = join(root, "docs/runbook");
const pages = readdirSync(folder);
const read = (page: string) => readFileSync(join(folder, page), "utf8");
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
/** Programs that are not ours; their words are theirs to check. */
const others = new Set(["aws", "export", "git", "systemctl"]);

/** Everything that somebody would type: lines of blocks, and commands within a text. */
function commandsOf(page: string): string[] {
  const text = read(page);
  const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = ""]) =>
    block.split("\n"),
  );
  const within = [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "").matchAll(/`([^`\n]+)`/g)]
    .map(([, words = ""]) => words)
    .filter((words) => /^(npx|npm|node|aws|git) /.test(words));
  return [...blocks, ...within].map((line) => line.trim()).filter(Boolean);
}

/** As a shell splits them; what goes to a file is no word. */
function wordsOf(line: string): string[] {
  const command = line.replace(/ > .*$/, "");
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
}

/** Why a command could not be typed as it stands there; undefined where it could. */
async function fault(line: string): Promise<string | undefined> {
  const [program = "", first = "", ...rest] = wordsOf(line);
  if (program === "npx" && first === "coalmine") {
    const tree = coalmineProgram(places(root, {}));
    let ran = false;
    for (const command of [tree, ...tree.commands, ...tree.verbs])
      command.configureOutput({ writeErr: () => undefined });
    for (const verb of tree.verbs) verb.action(() => void (ran = true));
    return tree.parseAsync(rest, { from: "user" }).then(
      () => (ran ? undefined : "it runs nothing"),
      (failure: unknown) => String(failure),
    );
  }
  if (program === "npm" && first === "run") {
    const name = rest.find((word) => !word.startsWith("-")) ?? "";
    return scripts[name] === undefined ? `there is no script ${name}` : undefined;
  }
  if (program === "npm" && ["ci", "test"].includes(first)) return undefined;
  if (program === "npx" && first === "aws-cdk@2") return undefined;
  if (program === "node") return existsSync(join(root, first)) ? undefined : `there is no ${first}`;
  return others.has(program) ? undefined : `nobody knows ${program} ${first}`;
}

test.each(pages)("every command of %s is one that the programs take", async (page) => {
  const faults: string[] = [];
  for (const line of commandsOf(page)) {
    const why = await fault(line);
    if (why !== undefined) faults.push(`${line}: ${why}`);
  }
  expect(faults).toEqual([]);
});

test("a wrong command would be found", async () => {
  expect(await fault("npx coalmine rollout rolback ROLLOUT --reason x")).toContain("unknown command");
  expect(await fault("npx coalmine rollout rollback ROLLOUT")).toContain("--reason");
  expect(await fault("npm run sinth -- --context a=b")).toBe("there is no script sinth");
  expect(await fault("node pipeline/stage.ts")).toBe("there is no pipeline/stage.ts");
  expect(await fault("kubectl apply")).toBe("nobody knows kubectl apply");
});

test("every page is reached from the first one, and links go somewhere", () => {
  const linked = new Set(["README.md"]);
  for (const page of pages)
    for (const [, link = ""] of read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      expect(existsSync(join(folder, link)), `${page} → ${link}`).toBe(true);
      linked.add(link);
    }
  expect(pages.filter((page) => !linked.has(page))).toEqual([]);
});

test("codes that a page explains are ones that the sources have", () => {
  const known = readFileSync(join(root, "docs/errors.md"), "utf8");
  for (const page of pages)
    for (const [code] of read(page).matchAll(/\bERR_[A-Z_]+\b/g))
      expect(known, page).toContain(`\`${code}\``);
});
