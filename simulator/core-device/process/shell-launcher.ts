import { spawn, type ChildProcess } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { CgroupLimits } from "./cgroup-limits.ts";
import type { Command, LaunchedProcess, Launcher, SystemUser } from "../ports.ts";

/** A line that does not end is cut here, so that a component cannot fill the memory with it. */
const LINE_CHARACTERS_MAX = 64 * 1024;

/** Scripts as processes of this machine, each in a group of its own. */
export class ShellLauncher implements Launcher {
  readonly #path: string;
  readonly userOf?: (posixUser: string) => Promise<SystemUser>;
  readonly limit?: NonNullable<Launcher["limit"]>;
  readonly #entranceOf: (component: string) => string | undefined = () => undefined;

  /**
   * `path` is where `Skipif onpath` looks; `userOf` is there where this process may become another user, `limits` where
   * it may bound what others use.
   */
  constructor(
    path: string,
    userOf?: (posixUser: string) => Promise<SystemUser>,
    limits?: Pick<CgroupLimits, "set" | "entranceOf">,
  ) {
    this.#path = path;
    if (userOf !== undefined) this.userOf = userOf;
    if (limits === undefined) return;
    this.#entranceOf = (component) => limits.entranceOf(component);
    this.limit = (component, bounds) => limits.set(component, bounds);
  }

  launch(command: Command): LaunchedProcess {
    const { environment, ...plain } = as(command);
    const { program, words } = within(this.#entranceOf(command.component), plain);
    const child = spawn(program, words, {
      cwd: command.workFolder,
      env: { ...command.environment, ...environment },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    readLines(child.stdout, (line) => command.output("stdout", line));
    readLines(child.stderr, (line) => command.output("stderr", line));
    const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      // No shell, or no folder to stand in: what a shell answers for a command that cannot be run.
      child.once("error", (failure) => {
        command.output(
          "stderr",
          `cannot start ${command.shell} in ${command.workFolder}: ${failure.message}`,
        );
        resolve({ code: 127, signal: null });
      });
    });
    return {
      exited,
      terminate: () => signalGroup(child, "SIGTERM"),
      kill: () => signalGroup(child, "SIGKILL"),
      pause: () => signalGroup(child, "SIGSTOP"),
      resume: () => signalGroup(child, "SIGCONT"),
    };
  }

  async holds({
    kind,
    what,
  }: {
    readonly kind: "exists" | "onpath";
    readonly what: string;
  }): Promise<boolean> {
    if (kind === "exists") return isThere(what, constants.F_OK);
    for (const folder of this.#path.split(":"))
      if (folder !== "" && (await isThere(join(folder, what), constants.X_OK))) return true;
    return false;
  }
}

/** The shell as the user, with its groups and its home, and nothing of the device's own rights. */
function as({ user, script, shell }: Command) {
  if (user === undefined || user.userId === process.getuid?.())
    return { program: shell, words: ["-c", script], environment: {} };
  const identity = [`--reuid=${user.userId}`, `--regid=${user.groupId}`];
  // A number that the system has no name for is in no further group.
  const groups = user.name === "" ? "--clear-groups" : "--init-groups";
  const named = user.name === "" ? {} : { USER: user.name, LOGNAME: user.name };
  return {
    program: "setpriv",
    words: [...identity, groups, "--", shell, "-c", script],
    environment: { HOME: user.home, ...named },
  };
}

/** The process goes into its group by itself, before it starts anything. */
function within(entrance: string | undefined, { program, words }: { program: string; words: string[] }) {
  if (entrance === undefined) return { program, words };
  return { program: "sh", words: ["-c", 'echo 0 > "$0" && exec "$@"', entrance, program, ...words] };
}

/** To everything the script started, unless it left the group. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (failure) {
    // The group is gone already.
    if (!(failure instanceof Error && "code" in failure && failure.code === "ESRCH")) throw failure;
  }
}

function readLines(stream: Readable, line: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) line(text);
    if (rest.length > LINE_CHARACTERS_MAX) {
      line(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") line(rest);
  });
}

async function isThere(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}
