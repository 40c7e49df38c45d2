import { execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import type { Clock } from "@coalmine/ports";
import { withoutGit } from "@coalmine/runtime/without-git";
import type { ActionOutcome, ActionRequest, RunAction } from "./run-action.ts";

const git = promisify(execFile);
/** What CodeBuild keeps of a line for the console's summary. */
const SUMMARY_CHARACTERS_MAX = 500;

/**
 * Stands for CodeBuild: checks the pushed revision out of a bare repository, one folder an execution, and runs each
 * command there with `sh -c`. Output goes to a log file; its last line is the action's summary.
 */
export function runCommands(settings: {
  readonly repository: string;
  readonly workspaces: string;
  readonly logs: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
}): RunAction {
  return async (request) => {
    const folder = join(settings.workspaces, request.executionId);
    await checkOut(settings.repository, request.revisionId, folder);
    const logFile = join(settings.logs, request.executionId, `${request.stage}-${request.action}.log`);
    await mkdir(join(settings.logs, request.executionId), { recursive: true });
    const log = createWriteStream(logFile, { flags: "a" });
    try {
      let summary = "";
      for (const command of request.commands) {
        log.write(`$ ${command}\n`);
        const { code, lastLine } = await runOne(command, folder, request, settings, log);
        summary = lastLine.slice(0, SUMMARY_CHARACTERS_MAX);
        if (code !== 0) return failed(`${summary} (exit ${code}; all of it: ${logFile})`);
      }
      return { kind: "succeeded", summary };
    } finally {
      log.end();
      await finished(log);
    }
  };
}

/** Removes an execution's checkout, when it has ended. */
export async function removeWorkspace(repository: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await git("git", ["--git-dir", repository, "worktree", "prune"], { env: withoutGit(process.env) });
}

async function checkOut(repository: string, revision: string, folder: string): Promise<void> {
  if (existsSync(join(folder, ".git"))) return;
  await rm(folder, { recursive: true, force: true });
  const arguments_ = ["--git-dir", repository, "worktree", "add", "--force", "--detach", folder, revision];
  await git("git", arguments_, { env: withoutGit(process.env) });
}

function runOne(
  command: string,
  folder: string,
  request: ActionRequest,
  settings: { readonly environment: Readonly<Record<string, string>>; readonly clock: Clock },
  log: NodeJS.WritableStream,
): Promise<{ code: number; lastLine: string }> {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", command], {
      cwd: folder,
      // A process group of its own, so that a stop reaches everything that the command started.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...withoutGit(process.env),
        ...settings.environment,
        COALMINE_COMMIT: request.revisionId,
        COALMINE_PIPELINE: request.pipeline,
        COALMINE_EXECUTION_ID: request.executionId,
      },
    });
    let tail = "";
    const take = (chunk: Buffer): void => {
      log.write(chunk);
      tail = (tail + chunk.toString("utf8")).slice(-4000);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const kill = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // It is gone already.
      }
    };
    const end = (): void => {
      kill("SIGTERM");
      settings.clock.timer(5000, () => kill("SIGKILL"));
    };
    const deadline = settings.clock.timer(request.timeoutMs, () => {
      tail += `\nstopped after ${request.timeoutMs / 60_000} min, the action's time limit\n`;
      end();
    });
    request.signal.addEventListener("abort", end, { once: true });
    child.on("error", (failure) => {
      tail += `\n${failure.message}`;
    });
    child.on("close", (code) => {
      deadline.cancel();
      request.signal.removeEventListener("abort", end);
      resolve({ code: code ?? 1, lastLine: tail.trim().split("\n").at(-1) ?? "" });
    });
  });
}

function failed(summary: string): ActionOutcome {
  return { kind: "failed", summary };
}
