import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CoalmineError } from "@coalmine/runtime";
import { withoutGit } from "@coalmine/runtime/without-git";
import * as z from "zod";

/** What the hook needs to reach the pipeline; kept beside the repository, readable by its owner alone. */
export const HookSettings = z.object({
  region: z.string(),
  /** The pipeline's own role. */
  roleArn: z.string(),
  endpoint: z.url(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});
export type HookSettings = z.infer<typeof HookSettings>;

export class GitError extends CoalmineError {
  readonly code = "ERR_GIT";
}

/**
 * Makes (or takes up) the bare repository that people push to, and its `post-receive` hook. The hook calls the very
 * Node that made it, since another shell's may be older, and drops `GIT_*`: git runs hooks with `GIT_DIR=.`.
 */
export function openRepository(folder: string, settings: HookSettings): void {
  if (!existsSync(join(folder, "HEAD"))) {
    mkdirSync(folder, { recursive: true });
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main");
  }
  const settingsFile = join(folder, "coalmine-hook.json");
  writeFileSync(settingsFile, JSON.stringify(HookSettings.parse(settings)), { mode: 0o600 });
  chmodSync(settingsFile, 0o600);
  const program = join(dirname(fileURLToPath(import.meta.url)), "main.ts");
  const hook = join(folder, "hooks", "post-receive");
  mkdirSync(dirname(hook), { recursive: true });
  const quiet = `for name in $(env | sed -n 's/^\\(GIT_[A-Z_]*\\)=.*/\\1/p'); do unset "$name"; done`;
  writeFileSync(
    hook,
    `#!/bin/sh\nrepository=$(pwd)\n${quiet}\nexec "${process.execPath}" "${program}" "$repository"\n`,
  );
  chmodSync(hook, 0o755);
}

/** Runs git in `folder`; throws a sentence that says what to do where git is missing or refuses. */
export function git(folder: string, ...words: string[]): string {
  try {
    return execFileSync("git", words, {
      cwd: folder,
      env: withoutGit(process.env),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  } catch (failure) {
    const cause = failure instanceof Error ? failure : new Error(String(failure));
    if ("code" in cause && cause.code === "ENOENT") {
      throw new GitError("git was not found on the PATH; install git (2.30 or newer) and start again", {
        cause,
      });
    }
    throw new GitError(
      `git ${words.join(" ")} in ${folder} failed: ${"stderr" in cause ? String(cause.stderr).trim() : cause.message}`,
      { cause },
    );
  }
}
