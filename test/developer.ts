import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const root = dirname(import.meta.dirname);
const author = ["-c", "user.name=t", "-c", "user.email=t@example.com"];

/** Somebody's checkout, with a pipeline whose stages take no time. */
export class Developer {
  readonly #work: string;

  /** In a folder that is not there yet. */
  constructor(work: string) {
    this.#work = work;
    mkdirSync(join(work, "pipeline"), { recursive: true });
    this.define("echo checked");
    this.git("init", "--quiet", "--initial-branch=main");
    this.commit("one");
  }

  /** This repository's own definition, of which the first command is this one, with what is committed behind it. */
  define(command: string): void {
    const file = join(this.#work, "pipeline/definition.ts");
    cpSync(join(root, "pipeline/definition.ts"), file);
    const own = `${command} "$(git log -1 --format=%s)"`;
    const text = readFileSync(file, "utf8")
      .replace('"node pipeline/stages/install.ts"', JSON.stringify(own))
      // What the other stages do has tests of its own, and takes minutes.
      .replaceAll("node pipeline/stages/main.ts", "echo");
    writeFileSync(file, text);
  }

  git(...words: string[]): string {
    return execFileSync("git", words, {
      cwd: this.#work,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Gives its hash. */
  commit(message: string): string {
    this.git("add", "--all");
    this.git(...author, "commit", "--quiet", "--allow-empty", "--message", message);
    return this.git("rev-parse", "HEAD").trim();
  }

  /** Pushes HEAD; gives what the pusher reads, which git writes to standard error. Not synchronous: the cloud is here. */
  async push(branch: string): Promise<string> {
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-c", `git push fleet HEAD:refs/heads/${branch} 2>&1`],
      { cwd: this.#work },
    );
    return stdout;
  }
}
