import { spawn } from "node:child_process";

/** `npm run check`: the four below, two at a time, as many as the smallest machine has cores. Each says itself what is wrong. */
const left = ["types", "lint", "dead", "format:check"];
const AT_ONCE = 2;

async function next(): Promise<void> {
  for (let script = left.shift(); script !== undefined; script = left.shift()) {
    const child = spawn("npm", ["run", "-s", script], { stdio: ["ignore", "pipe", "pipe"] });
    // What two of them say at the same time would be nobody's.
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => said.push(text));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    process.stdout.write(Buffer.concat(said));
    if (code === 0) continue;
    console.log(`npm run ${script} ended with ${code}`);
    process.exitCode = 1;
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, next));
