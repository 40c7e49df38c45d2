import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { git } from "../../pipeline/push/repository.ts";
import { install } from "../../pipeline/stages/install.ts";
import { applyChange, type Change } from "./regressions.ts";

const author = ["-c", "user.name=Coalmine main job", "-c", "user.email=main-job@coalmine.invalid"];

/** Clones the remote, makes a change as a developer would, bumps the versions that it touches, and commits. */
export function commitChange(
  remote: string,
  folder: string,
  cache: string,
  change: Change,
): { commit: string; bumped: string } {
  git(".", "clone", "--quiet", remote, folder);
  install(folder, cache);
  applyChange(folder, change);
  const bumped = execFileSync(process.execPath, [join(folder, "pipeline/build/bump.ts")], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, COALMINE_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
  git(folder, "add", "--all");
  git(folder, ...author, "commit", "--quiet", "--message", change.what);
  return { commit: git(folder, "rev-parse", "HEAD"), bumped };
}

/** Pushes to main; gives what the remote said. Not synchronous: the hook may talk to this very process. */
export async function push(folder: string): Promise<string[]> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  // The remote's own words come on standard error.
  const { stderr } = await promisify(execFile)("git", ["push", "origin", "HEAD:main"], { cwd: folder, env });
  return stderr.split("\n").flatMap((line) => /^remote: (coalmine: .*?)\s*$/.exec(line)?.[1] ?? []);
}
