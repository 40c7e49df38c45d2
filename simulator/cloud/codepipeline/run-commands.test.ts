import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, expect, test } from "vitest";
import { removeWorkspace, runCommands } from "./run-commands.ts";

const root = mkdtempSync(join(tmpdir(), "coalmine-commands-"));
const run = (folder: string, ...words: string[]) =>
  execFileSync("git", words, { cwd: folder, encoding: "utf8" }).trim();
const repository = join(root, "fleet.git");
run(root, "init", "-q", "--bare", repository);
run(root, "clone", "-q", repository, "work");
const work = join(root, "work");
writeFileSync(join(work, "greeting"), "hello from the commit\n");
run(work, "add", ".");
run(work, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "one");
run(work, "push", "-q", "origin", "HEAD:main");
const revisionId = run(work, "rev-parse", "HEAD");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const action = runCommands({
  repository,
  workspaces: join(root, "ws"),
  logs: join(root, "logs"),
  environment: { PLACE: "here" },
  clock: systemClock,
});
const request = (commands: string[], more: object = {}) => ({
  pipeline: "p",
  executionId: "e1",
  stage: "Build",
  action: "Build",
  revisionId,
  commands,
  timeoutMs: 20_000,
  signal: new AbortController().signal,
  ...more,
});

test("runs the commands in a checkout of the revision; the last line is the summary", async () => {
  process.env["GIT_DIR"] = ".";
  const outcome = await action(request(["cat greeting", 'echo "$PLACE $COALMINE_COMMIT ${GIT_DIR:-none}"']));
  delete process.env["GIT_DIR"];
  expect(outcome).toEqual({ kind: "succeeded", summary: `here ${revisionId} none` });
  expect(readFileSync(join(root, "logs/e1/Build-Build.log"), "utf8")).toContain("hello from the commit");
});

test("a command that fails ends the action with its last words and the log's place", async () => {
  const outcome = await action(request(["echo no space >&2; exit 3", "echo never"]));
  expect(outcome.kind).toBe("failed");
  expect(outcome.summary).toMatch(/^no space \(exit 3; all of it: .*Build-Build\.log\)$/);
});

test("a command past its time limit is ended with everything it started", async () => {
  const outcome = await action(request(["sleep 300 & echo $! > child; wait"], { timeoutMs: 300 }));
  expect(outcome.summary).toMatch(/the action's time limit/);
  const child = Number(readFileSync(join(root, "ws/e1/child"), "utf8"));
  await expect.poll(() => isAlive(child), { timeout: 4000 }).toBe(false);
});

test("a checkout is removed without a trace in the repository", async () => {
  await removeWorkspace(repository, join(root, "ws/e1"));
  expect(run(repository, "worktree", "list").split("\n")).toHaveLength(1);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
