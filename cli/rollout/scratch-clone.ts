import { execFile } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { withoutGit } from "@coalmine/runtime/without-git";
import { applyChange, type Change } from "../../simulator/fleet/mutants/change.ts";

/** All of it runs beside this process: a cloud may live in it, which a developer's machine would not stop either. */
const run = promisify(execFile);
const author = ["-c", "user.name=Coalmine main job", "-c", "user.email=main-job@coalmine.invalid"];

/** Clones the remote, makes a change as a developer would, bumps the versions that it touches, and commits. */
export async function commitChange(
  remote: string,
  folder: string,
  cache: string,
  change: Change,
): Promise<{ commit: string; bumped: string }> {
  const env = { ...withoutGit(process.env), COALMINE_CACHE: cache };
  await run("git", ["clone", "--quiet", remote, folder], { env });
  await run(process.execPath, [join(folder, "pipeline/stages/install.ts")], { cwd: folder, env });
  applyChange(folder, change);
  if (change.withoutTestsOf !== undefined) removeTests(join(folder, change.withoutTestsOf));
  const { stdout } = await run(process.execPath, [join(folder, "pipeline/build/bump.ts")], {
    cwd: folder,
    env,
  });
  await run("git", ["add", "--all"], { cwd: folder, env });
  await run("git", [...author, "commit", "--quiet", "--message", change.what], { cwd: folder, env });
  const head = await run("git", ["rev-parse", "HEAD"], { cwd: folder, env });
  return { commit: head.stdout.trim(), bumped: stdout.trim() };
}

/** Pushes to main; gives what the remote said. */
export async function push(folder: string): Promise<string[]> {
  // The remote's own words come on standard error.
  const { stderr } = await run("git", ["push", "origin", "HEAD:main"], {
    cwd: folder,
    env: withoutGit(process.env),
  });
  return stderr.split("\n").flatMap((line) => /^remote: (coalmine: .*?)\s*$/.exec(line)?.[1] ?? []);
}

function removeTests(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".test.ts")) rmSync(join(folder, name));
}
