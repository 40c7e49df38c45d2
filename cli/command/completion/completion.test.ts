import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { coalmineProgram } from "../../program.ts";
import { places } from "../../system/state.ts";
import { completionOf, shells, type Shell } from "./completion.ts";

const program = coalmineProgram(places(dirname(dirname(dirname(import.meta.dirname))), {}));

/** What a real bash offers for the last word. */
function offered(...words: string[]): string[] {
  const script = `${completionOf(program, "bash")}
COMP_WORDS=(coalmine "$@"); COMP_CWORD=$#
_coalmine
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-u", "-c", script, "bash", ...words], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash offers nouns, verbs, options and their values", () => {
  expect(offered("ro")).toEqual(["rollout"]);
  expect(offered("rollout", "")).toEqual(expect.arrayContaining(["run", "watch", "promote", "plan"]));
  expect(offered("rollout", "").some((word) => word.startsWith("-"))).toBe(false);
  expect(offered("rollout", "show", "--j")).toEqual(["--json"]);
  expect(offered("rollout", "run", "--regression", "crash-at")).toEqual(["crash-at-start"]);
  expect(offered("device", "logs", "core-01", "--f")).toEqual(["--follow", "--fleet"]);
  expect(offered("schema", "rollout-s")).toEqual(["rollout-show"]);
  expect(offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
  // Where a file, a name or a number is wanted, bash has its own.
  expect(offered("judge", "run", "")).toEqual([]);
  expect(offered("rollout", "promote", "x", "--reason", "")).toEqual([]);
});

test("every shell's script names every command", () => {
  for (const shell of shells)
    for (const { path } of program.verbs)
      expect(completionOf(program, shell as Shell), path).toContain(`"${path}"`);
});
