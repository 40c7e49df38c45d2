import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { places } from "../system/state.ts";
import { lookAll } from "./check.ts";
import { type Machine, machineChecks, machineOf } from "./checks/machine-checks.ts";

const folder = mkdtempSync(join(tmpdir(), "machine-doctor-"));
const checkout = dirname(dirname(import.meta.dirname));
const machine = machineOf(places(checkout, { COALMINE_STATE: folder }));
afterAll(() => rmSync(folder, { recursive: true }));

async function look(name: string, changes: Partial<Machine> = {}) {
  const [finding] = await lookAll(
    machineChecks.filter((check) => check.name === name),
    { ...machine, freeBytesMin: 1, ...changes },
  );
  return finding;
}

test("the machine that runs the tests has all that is needed", async () => {
  for (const { name } of machineChecks)
    expect(await look(name)).toMatchObject({ state: "ok", why: expect.any(String) });
});

test("another Node, other packages, no room and taken ports are each found, with what to do", async () => {
  expect(await look("Node", { nodeVersion: "20.20.2" })).toMatchObject({
    state: "failed",
    sentence: "this is Node 20.20.2, and 24 is needed",
  });
  expect(await look("room on the disk", { freeBytesMin: 2 ** 60 })).toMatchObject({
    state: "failed",
    remedy: expect.stringContaining("COALMINE_STATE"),
  });

  const root = join(folder, "checkout");
  const at = places(root, { COALMINE_STATE: folder });
  const lock = (version: string): string => JSON.stringify({ packages: { "node_modules/zod": { version } } });
  mkdirSync(join(root, "node_modules"), { recursive: true });
  expect(await look("packages", { at })).toMatchObject({ sentence: expect.stringContaining("no lockfile") });
  writeFileSync(join(root, "package-lock.json"), lock("4.6.7"));
  expect(await look("packages", { at })).toMatchObject({
    sentence: expect.stringContaining("nothing is installed"),
    remedy: expect.stringContaining("where there is no registry"),
  });
  writeFileSync(join(root, "node_modules/.package-lock.json"), lock("4.6.6"));
  expect(await look("packages", { at })).toMatchObject({
    state: "failed",
    sentence: "1 packages are not as the lockfile has them: zod",
  });

  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  mkdirSync(at.state, { recursive: true });
  writeFileSync(join(at.state, "ports.json"), JSON.stringify({ http: port }));
  expect(await look("ports")).toMatchObject({
    state: "failed",
    sentence: expect.stringMatching(new RegExp(`${port} \\(http\\): .*EADDRINUSE`)),
  });
  await new Promise((closed) => other.close(closed));
  expect(await look("ports")).toMatchObject({ state: "ok", sentence: `${port} are free` });
});
