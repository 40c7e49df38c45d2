import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MARK as PROCESS_MARK } from "../../simulator/fleet/process/supervised-process.ts";
import { endCutOff } from "./cut-off.ts";
import { mainJobPlaces, MARK, needRunning, places, writeRunning, type Places } from "./state.ts";

let base: string;
let at: Places;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "cut-off-"));
  at = places("/nowhere", { COALMINE_STATE: base });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const running = (pid: number) => ({
  pid,
  isUp: true,
  targets: [],
  repository: "/nowhere",
  accessKeyId: "a",
  secretAccessKey: "b",
  controlTokens: {},
});

/** A process of its own that lives until it is killed. */
async function started(
  environment: Record<string, string> = {},
): Promise<{ pid: number; ended: Promise<void> }> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    env: { ...environment },
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve) => child.once("spawn", () => resolve()));
  return { pid: child.pid ?? 0, ended };
}

test("what a system left running when it was cut off is ended, and nobody else's", async () => {
  const gone = await started();
  process.kill(gone.pid, "SIGKILL");
  await gone.ended;
  writeRunning(at, running(gone.pid));
  const left = await started({ [MARK]: at.state });
  const device = await started({ [PROCESS_MARK]: join(at.state, "fleet/core-01") });
  const other = await started({ [MARK]: join(base, "state-of-another") });
  expect(await endCutOff(at)).toBe(2);
  await Promise.all([left.ended, device.ended]);
  expect(() => process.kill(other.pid, 0)).not.toThrow();
  process.kill(other.pid, "SIGKILL");
  await other.ended;
  expect(await endCutOff(at)).toBeUndefined();
});

test("a second system with the same state is refused, with the process that has it", async () => {
  writeRunning(at, running(process.pid));
  await expect(endCutOff(at)).rejects.toThrow(`(process ${process.pid}); use it, or end it with`);
});

test("commands find what npm start left up, and else the main job", () => {
  const job = mainJobPlaces(at);
  expect(job.state).not.toBe(at.state);
  expect(job.cache).toBe(at.cache);
  expect(() => needRunning(at)).toThrow("start it with `npm start`");
  writeRunning(job, { ...running(process.pid), repository: "job" });
  expect(needRunning(at).repository).toBe("job");
  writeRunning(at, { ...running(process.pid), repository: "kept", isUp: false });
  expect(() => needRunning(at)).toThrow("is still coming up");
  writeRunning(at, { ...running(process.pid), repository: "kept" });
  expect(needRunning(at).repository).toBe("kept");
});
