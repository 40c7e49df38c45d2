import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jsonLog, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import type { Command } from "../ports.ts";
import { CgroupLimits } from "./cgroup-limits.ts";
import { ShellLauncher } from "./shell-launcher.ts";

/** Plain files where the kernel's would be: what is written there is what the kernel would be told. */
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function groups(controllers: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "coalmine-cgroup-"));
  folders.push(root);
  await writeFile(join(root, "cgroup.controllers"), `${controllers}\n`);
  await writeFile(join(root, "cgroup.subtree_control"), "");
  return root;
}

async function run(launcher: ShellLauncher, workFolder: string, script: string, shell = "sh") {
  const lines: string[] = [];
  const command: Command = {
    component: "A",
    componentVersion: "1.0.0",
    step: "run",
    script,
    shell,
    environment: { PATH: process.env["PATH"] ?? "" },
    workFolder,
    user: undefined,
    output: (_, line) => lines.push(line),
  };
  const { code } = await launcher.launch(command).exited;
  return { code, lines };
}

test("a component's limits are the kernel's for its group, and its processes go in before they start anything [core-device-4.19]", async () => {
  const root = await groups("cpuset cpu io memory pids");
  const limits = await CgroupLimits.open(root, "T", silentLog);
  if (limits === undefined) throw new Error("no limits");
  const file = (name: string): Promise<string> => readFile(join(root, "greengrass-T", name), "utf8");
  expect(await readFile(join(root, "cgroup.subtree_control"), "utf8")).toBe("+cpu +memory");
  expect(await file("cgroup.subtree_control")).toBe("+cpu +memory");
  const launcher = new ShellLauncher("/bin", undefined, limits);
  await launcher.limit?.("A", { memory: 64_000, cpus: 1.5 });
  expect([await file("A/memory.max"), await file("A/cpu.max")]).toEqual(["65536000", "150000 100000"]);
  const entered = await run(launcher, root, 'cat greengrass-T/A/cgroup.procs; echo "$0"; exit 7');
  expect(entered).toEqual({ code: 7, lines: ["0", "sh"] });
  await launcher.limit?.("A", undefined);
  expect([await file("A/memory.max"), await file("A/cpu.max")]).toEqual(["max", "max 100000"]);
});

test("where the kernel does not give the groups the log says so, once, and nothing is limited [core-device-4.19]", async () => {
  for (const root of [await groups("io pids"), "/nonexistent"]) {
    const lines: string[] = [];
    const log = jsonLog("nucleus", systemClock, (line) => lines.push(line));
    expect(await CgroupLimits.open(root, "T", log)).toBeUndefined();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("systemResourceLimits limit nothing here");
  }
  expect(new ShellLauncher("/bin").limit).toBeUndefined();
});

test("a script runs under the shell that the nucleus names [core-device-4.20]", async () => {
  const root = await groups("");
  const shell = join(root, "shell");
  await writeFile(shell, '#!/bin/sh\necho "mine: $1"\nexec sh "$@"\n', { mode: 0o755 });
  const { code, lines } = await run(new ShellLauncher("/bin"), root, "echo said", shell);
  expect({ code, lines }).toEqual({ code: 0, lines: ["mine: -c", "said"] });
});
