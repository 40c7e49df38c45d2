import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test, vi } from "vitest";

test("what a bench has started ends with it, also when it is killed", async () => {
  const program = JSON.stringify(join(import.meta.dirname, "bound-child.ts"));
  const bench = `const { startBound } = await import(${program});
    const { pid } = await startBound(["--eval", "console.log(1); setInterval(() => {}, 1000)"]);
    console.log(pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", bench], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = await once(createInterface({ input: parent.stdout }), "line");
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), 5000);
});
