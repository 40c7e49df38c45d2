import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { expect, test } from "vitest";

test("a run that never returns is given up, the windows behind it are scored, and the component starts again", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "sticking-child.fixture.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const line = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
    expect(JSON.parse(line)).toEqual({
      ended: expect.stringMatching(
        /^a model run never ended \(.*no answer within 1000 ms.*\); the component starts again$/,
      ),
      // The one that hangs, and no other.
      failed: 1,
      results: 11,
    });
  } finally {
    child.kill("SIGKILL");
  }
});
