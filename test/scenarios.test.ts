import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { processScenarioNames } from "../cli/simulate/process-scenario.ts";
import { readScenario, scenarioNames } from "../simulator/fleet/scenario/read-scenario.ts";

/** The scenarios themselves are played in the long form; the short form holds what plays them. */
const isLong = process.env["COALMINE_LONG"] === "1";
const DEVICES = isLong ? 20 : 2;
const HOUR_MS = 3_600_000;
vi.setConfig({ testTimeout: isLong ? HOUR_MS : 300_000 });

const root = dirname(import.meta.dirname);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "scenarios-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function simulate(scenario: string, ...words: string[]) {
  const args = ["simulate", "--scenario", scenario, "--running", inject("built").dist, ...words];
  return ran("simulator/fleet/main.ts", ...args, "--artifacts", join(folder, "artifacts"));
}

async function ran(program: string, ...words: string[]) {
  const child = spawn(process.execPath, [join(root, program), ...words], { cwd: folder });
  let out = "";
  let err = "";
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (err += text.toString()));
  const code = await new Promise<number | null>((ended) => child.on("close", ended));
  return { code, out, err, last: out.trimEnd().split("\n").at(-1) ?? "" };
}

/** A scenario of a test's own. */
function file(name: string, text: string): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, text);
  return path;
}

const onProcesses = processScenarioNames();

test.each(isLong ? scenarioNames().filter((name) => !onProcesses.includes(name)) : [])(
  "%s holds what it expects, and every invariant does",
  async (name) => {
    const devices = Math.min(readScenario(name).fleet.devices, name === "thousand-join" ? 1000 : DEVICES);
    const { code, last, err } = await simulate(
      name,
      "--devices",
      String(devices),
      "--json",
      "--shrink-runs",
      "0",
    );
    expect(last, err).not.toBe("");
    const { invariants } = JSON.parse(last) as { invariants: { ok: boolean }[] };
    expect([invariants.filter(({ ok }) => !ok), code]).toEqual([[], 0]);
  },
);

/** In real time, over real lines, terminals and disks. */
test.each(isLong ? onProcesses : [])("%s holds what it expects on process devices", async (name) => {
  const words = ["--scenario", name, "--running", inject("built").dist];
  const { code, last, err } = await ran("cli/simulate/process-main.ts", ...words);
  expect(last, err).not.toBe("");
  const { invariants } = JSON.parse(last) as { invariants: { ok: boolean }[] };
  expect([invariants.filter(({ ok }) => !ok), code]).toEqual([[], 0]);
});

test("a scenario on process devices is not the simulator's to play, and it says whose", async () => {
  const { code, err } = await simulate("processes-killed");
  expect(err).toContain("npm exec coalmine -- simulate --scenario processes-killed");
  expect(code).toBe(2);
});

test("a run ends when whoever watches it is killed", async () => {
  const words = [
    "simulate",
    "--scenario",
    "steady-day",
    "--running",
    inject("built").dist,
    "--devices",
    "20",
  ];
  const artifacts = ["--artifacts", join(folder, "artifacts")];
  const watcher = spawn(process.execPath, [join(root, "simulator/fleet/main.ts"), ...words, ...artifacts]);
  watcher.stdout.resume();
  // The run has the same standard error, so that it is closed when both have ended.
  const ended = once(watcher, "close");
  await once(watcher.stderr, "data");
  const killedMs = performance.now();
  watcher.kill("SIGKILL");
  watcher.stderr.resume();
  await ended;
  expect(performance.now() - killedMs).toBeLessThan(20_000);
});

test("a failure comes down to the faults that bring it about, and the command that is printed plays it again", async () => {
  const faults = [
    "{ kind: power-cut, at: 25 min, for: 1 min, devices: 1 }",
    // The instrument of this one is gone for good: what it measured stays in it.
    "{ kind: unplug, at: 30 min, for: 30 d, things: [hosted-0002] }",
  ];
  const scenario = file(
    "planted",
    `about: a reading that cannot arrive\nlasts: 1 h\nsettles: 70 min\nfaults: [${faults.join(", ")}]\nexpect: [no deployment fails]\n`,
  );
  const { code, out, err } = await simulate(scenario, "--devices", "2", "--shrink-runs", "3");
  expect(out, err).toContain("FAILED: nothing lost or doubled");
  const [, command = ""] = /Play it again: npm run simulate -- (.*)/.exec(out) ?? [];
  const [, kept = ""] = /--faults (\S+)/.exec(command) ?? [];
  expect(dirname(kept)).toBe(join(folder, ".coalmine/faults"));
  const smallest: { kind: string }[] = JSON.parse(readFileSync(kept, "utf8"));
  expect(smallest.map(({ kind }) => kind)).toEqual(["unplug"]);
  expect(out).toContain("Of 2 faults these 1 are enough, and none of them can be left out.");
  expect(code).toBe(3);
  if (!isLong) return;
  const again = await simulate(scenario, "--devices", "2", "--faults", kept, "--shrink-runs", "0", "--json");
  expect(JSON.parse(again.last)).toMatchObject({ passed: false });
  expect(again.code).toBe(3);
});

/** That of an upgrade has its test with the hosted fleet. */
test.each(isLong ? [["5", "6"]] : [])(
  "the same seed gives the same last line, faults and all: %s twice, and %s",
  async (seed, another) => {
    const scenario = file(
      "twice",
      `about: faults by chance\nlasts: 1 h\nsettles: 70 min\nfaults: [{ kind: cut, perDay: 24, from: 0 s, until: 1 h, for: 2 min }]\nexpect: [no deployment fails]\n`,
    );
    const [once, again, other, shared] = await Promise.all(
      [[seed], [seed], [another], [seed, "--processes", "2"]].map(([one = "", ...words]) =>
        simulate(scenario, "--devices", "3", "--seed", one, "--json", ...words),
      ),
    );
    expect(JSON.parse(once?.last ?? "")).toMatchObject({ passed: true });
    expect(again?.last).toBe(once?.last);
    const digestOf = (run: typeof once): string => (JSON.parse(run?.last ?? "") as { digest: string }).digest;
    expect(digestOf(other)).not.toBe(digestOf(once));
    expect(digestOf(shared)).toBe(digestOf(once));
  },
);

test.each([
  [
    "time: 500 ms",
    /the run was stopped: it took more than 500 ms of the processor\. It stood at .* of the scenario/,
  ],
  ["memory: 64 MiB", /the run was stopped: it took more than 64 MiB\. It stood at/],
])("a run past its bounds of %s is stopped, and says at what", async (bound, sentence) => {
  const scenario = file(
    "bounded",
    `about: too much\nlasts: 1 d\nexpect: [no deployment fails]\nbounds: { ${bound} }\n`,
  );
  const { code, err } = await simulate(scenario, "--devices", "2");
  expect(err).toMatch(sentence);
  expect(code).toBe(5);
});

test("what cannot be meant is refused before anything is played", async () => {
  const scenario = file(
    "wrong",
    "about: it\nlasts: 1 h\nfaults: [{ kind: rain, at: 1 s }]\nexpect: [no deployment fails]\n",
  );
  const { code, err } = await simulate(scenario);
  expect(err).toMatch(/wrong\.yaml:3:\d+: there is no fault "rain"; there are cut,/);
  expect(code).toBe(2);
});
