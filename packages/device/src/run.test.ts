import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const environment = {
  COALMINE_COMPONENT: "test.A",
  COALMINE_COMPONENT_VERSION: "1.2.3",
  AWS_IOT_THING_NAME: "thing",
  AWS_REGION: "eu-central-1",
};

/** Runs a component in a process of its own; `signal` is sent once it says that it runs. */
async function run(component: string, signal?: NodeJS.Signals, env: object = environment) {
  const runUrl = pathToFileURL(join(import.meta.dirname, "run.ts")).href;
  const main = join(folder, "main.mjs");
  await writeFile(
    main,
    `import { runComponent } from ${JSON.stringify(runUrl)};
     const component = { portsVersion: 1, ${component} };
     await runComponent(component, (base) => base);`,
  );
  const child = spawn(process.execPath, [main], { env: { PATH: process.env["PATH"], ...env } });
  let out = "";
  let err = "";
  child.stderr.on("data", (chunk) => (err += chunk));
  child.stdout.on("data", (chunk) => {
    out += chunk;
    if (signal !== undefined && out.includes("is running")) child.kill(signal);
  });
  const code = await new Promise((ended) => child.on("close", ended));
  const lines = out
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, lines, err };
}

const says = (lines: Record<string, unknown>[]) => lines.map((line) => line["message"]);

test.each(["SIGTERM", "SIGINT"] as const)(
  "a component is stopped on %s and the process exits 0",
  async (signal) => {
    const { code, lines } = await run(
      `start: async ({ log, clock }) => {
       clock.timer(60_000, () => {});
       return { stop: async (signal) => log.info("stopped", { aborted: signal.aborted }) };
     }`,
      signal,
    );
    expect(code).toBe(0);
    expect(says(lines)).toEqual(["the component is running", "the component stops", "stopped"]);
    expect(lines.at(-1)).toMatchObject({ source: "test.A", aborted: false, level: "INFO" });
  },
);

test("a component that cannot start says why in its log, and the process exits 1", async () => {
  const { code, lines } = await run(
    `start: async () => { throw new Error("cannot start: rate is 0, must be more") }`,
  );
  expect(code).toBe(1);
  expect(lines).toMatchObject([
    { level: "ERROR", reason: "cannot start: rate is 0, must be more", version: "1.2.3" },
  ]);
});

test("bundles of two ports versions do not run together", async () => {
  const { code, lines } = await run(`portsVersion: 0, start: async () => ({ stop: async () => {} })`);
  expect(code).toBe(1);
  expect(lines[0]?.["reason"]).toContain("ports version 0");
});

test("an error that nobody caught ends the process with its reason in the log", async () => {
  const { code, lines } = await run(
    `start: async ({ clock }) => {
       clock.timer(10, () => { throw new Error("handler broke") });
       return { stop: async () => {} };
     }`,
  );
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatchObject({ level: "ERROR", reason: "handler broke" });
});

test("a component may end itself as failed", async () => {
  const { code, err } = await run(
    `start: async ({ process }) => { process.fail("a promise of our own is broken"); }`,
  );
  expect(code).toBe(1);
  expect(err).toContain("a promise of our own is broken");
});

test("an environment that lacks something is told, by name", async () => {
  const { code, err } = await run(`start: async () => {}`, undefined, {});
  expect(code).toBe(1);
  expect(err).toContain("COALMINE_COMPONENT");
});

test("a component that does not stop is given ten seconds, a signal, and one second more", async () => {
  const { code, lines } = await run(
    `start: async ({ log }) => ({
       stop: (signal) => new Promise(() => signal.addEventListener("abort", () => log.warn("told"))),
     })`,
    "SIGTERM",
  );
  expect(code).toBe(1);
  expect(says(lines).slice(-2)).toEqual(["told", "the component did not stop in time"]);
}, 20_000);
