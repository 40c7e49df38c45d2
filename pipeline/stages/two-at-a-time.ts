import { spawn } from "node:child_process";

/** The smallest machine has two cores. */
const AT_ONCE = 2;

export interface CheckStep {
  readonly name: string;
  readonly command: readonly string[];
}

/** What the checkout installed, by this very Node, whatever the environment says of npm. */
export function tool(name: string): string[] {
  return [process.execPath, `node_modules/.bin/${name}`];
}

/** Says of each step how it ended, and of one that failed what it said. Gives the names of those. */
export async function runTwoAtATime(steps: readonly CheckStep[], folder: string): Promise<string[]> {
  const left = [...steps];
  const failures: string[] = [];
  const worker = async (): Promise<void> => {
    for (let step = left.shift(); step !== undefined; step = left.shift()) {
      const began = performance.now();
      const { code, output } = await run(step.command, folder);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? "ok" : "FAILED"} after ${seconds} s: ${step.name}`);
      if (code === 0) continue;
      console.log(output);
      failures.push(step.name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failures;
}

function run(
  [program = "", ...words]: readonly string[],
  cwd: string,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-20_000);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", (failure) => resolve({ code: 127, output: failure.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
