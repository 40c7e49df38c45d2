import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { withoutGit } from "@coalmine/runtime/without-git";
import { check } from "../../pipeline/stages/check.ts";
import { install } from "../../pipeline/stages/install.ts";
import { applyChange, type Change } from "../../simulator/fleet/mutants/change.ts";
import type { Outcome } from "./layer.ts";

const author = ["-c", "user.name=Coalmine mutants", "-c", "user.email=mutants@coalmine.invalid"];

/**
 * What the check stage says of a push of the change, with every test in its place. One clone serves all changes: the
 * versions are not bumped, since no check reads them.
 */
export async function checked(
  root: string,
  clone: string,
  cache: string,
  name: string,
  change: Change,
): Promise<Outcome> {
  const git = (...words: string[]): string =>
    execFileSync("git", words, { cwd: clone, env: withoutGit(process.env), encoding: "utf8" });
  if (!existsSync(clone)) {
    execFileSync("git", ["clone", "--quiet", root, clone], { env: withoutGit(process.env) });
    install(clone, cache);
  }
  git("reset", "--quiet", "--hard", "origin/HEAD");
  applyChange(clone, change, name);
  git("add", "--all");
  git(...author, "commit", "--quiet", "--message", change.what);
  const began = performance.now();
  const failures = await check(clone, { commit: "origin/HEAD", isPublished: true });
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const [first] = failures;
  return {
    by: first === undefined ? null : first.startsWith("tests of") ? "tests" : first,
    found: first === undefined ? "types, lint and the tests that it touches pass" : failures.join("; "),
    seconds,
  };
}
