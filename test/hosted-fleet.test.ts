import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { GreengrassV2Client, ListCoreDevicesCommand } from "@aws-sdk/client-greengrassv2";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { withVersion } from "../cli/simulate/own-release.ts";
import { devicePolicy, names } from "../infra/identity/identity.ts";
import { BuildManifest } from "../pipeline/build/build-manifest.ts";
import { usualSettings } from "../simulator/fleet/driven/usual-settings.ts";

const root = dirname(import.meta.dirname);
const region = "eu-central-1";
/** A few seconds each where nothing else runs; a machine that does much else takes its time. */
vi.setConfig({ testTimeout: 180_000 });

const { dist: running } = inject("built");
let folder: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hosted-fleet-"));
});

afterAll(() => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command of the simulator to its end. */
async function command(script: string, args: readonly string[]) {
  const child = start(script, args);
  let output = "";
  child.stdout?.on("data", (text: Buffer) => (output += text.toString()));
  const code = await new Promise<number | null>((ended) => child.on("close", ended));
  const last: unknown = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
  return { code, last };
}

function start(script: string, args: readonly string[]): ChildProcess {
  const path = join(root, "simulator/fleet", script);
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

/** A build in which one component has another version, and what `change` makes of its recipe. */
function candidateOf(component: string, change: (recipe: string) => string): string {
  const candidate = mkdtempSync(join(folder, "candidate-"));
  cpSync(running, candidate, { recursive: true });
  const manifest = BuildManifest.parse(JSON.parse(readFileSync(join(candidate, "build.json"), "utf8")));
  const one = manifest.components.find((built) => built.component === component);
  if (one === undefined) throw new Error(`no ${component} was built`);
  const recipe = readFileSync(join(candidate, one.recipeFile), "utf8");
  writeFileSync(
    join(candidate, one.recipeFile),
    change(withVersion(recipe, component, one.version, "9.0.0")),
  );
  const components = manifest.components.map((built) =>
    built.component === component ? { ...built, version: "9.0.0" } : built,
  );
  writeFileSync(join(candidate, "build.json"), JSON.stringify({ ...manifest, components }));
  return candidate;
}

const artifacts = () => ["--artifacts", join(folder, "artifacts")];
const reports = () => join(folder, "report");
const report = (name: string) => readFileSync(join(reports(), name), "utf8");
const rehearse = (candidate: string, gate = "default") =>
  command("rehearsal/main.ts", [
    `--candidate=${candidate}`,
    `--running=${running}`,
    "--devices=4",
    `--gate=${gate}`,
    "--json",
    `--report=${reports()}`,
    ...artifacts(),
  ]);

test("a candidate that does what runs now does passes the rehearsal: upgraded to under faults, and rolled back from", async () => {
  const { code, last } = await rehearse(candidateOf("coalmine.StreamUploader", (recipe) => recipe));
  expect(last).toMatchObject({ passed: true });
  expect(code).toBe(0);
  const states = { spans: expect.arrayContaining([expect.objectContaining({ state: "candidate" })]) };
  const planted = ["Link cut while the deployment begins", "Link cut for longer than an upload waits"];
  const faults = expect.arrayContaining(planted.map((what) => expect.objectContaining({ what })));
  expect(JSON.parse(report("report.json"))).toMatchObject({
    passed: true,
    scenarios: [{ faults, incidents: [], lanes: [states, states, states, states] }],
  });
});

test("a candidate that cannot start fails the rehearsal, and the sentence names the component", async () => {
  const broken = candidateOf("coalmine.Inference", (recipe) =>
    recipe.replace("/main.mjs", "/absent/main.mjs"),
  );
  const { code, last } = await rehearse(broken, "upgrade");
  expect(last).toMatchObject({
    passed: false,
    verdict: expect.stringMatching(/ERR_NOT_INSTALLED.*coalmine\.Inference/),
  });
  expect(code).toBe(3);
  expect(report("report.xml")).toMatch(/failures="1".*<failure [^>]*ERR_NOT_INSTALLED/s);
  expect(report("report.html")).toContain("coalmine.Inference 9.0.0 is BROKEN");
});

test("the same version with other bytes is refused", async () => {
  const other = candidateOf("coalmine.Inference", (recipe) => recipe);
  const manifest = readFileSync(join(other, "build.json"), "utf8");
  const version = /"coalmine\.LogManager","version":"([^"]+)"/.exec(manifest)?.[1];
  // The artifact's digest as the build would say it of changed bytes.
  const changed = manifest.replace(/("coalmine\.LogManager".*?"sha256":")[0-9a-f]{8}/, "$100000000");
  writeFileSync(join(other, "build.json"), changed);
  const { code, last } = await rehearse(other, "upgrade");
  expect(last).toMatchObject({
    verdict: expect.stringContaining(`coalmine.LogManager ${version} is published already with other bytes`),
  });
  expect(code).toBe(3);
});

test("one seed is one course of events, to the last bit, at once, by two processes in turns; another seed is another", async () => {
  const simulate = ([seed, ...shares]: readonly [string, ...string[]]) =>
    command("main.ts", [
      "simulate",
      "--scenario=upgrade",
      "--devices=4",
      `--seed=${seed}`,
      ...shares,
      `--running=${running}`,
      "--json",
      ...artifacts(),
    ]);
  const runs = [["7"], ["7", "--processes=2", "--at-a-time=1"], ["8"]] as const;
  const [once, shared, other] = await Promise.all(runs.map(simulate));
  expect(once?.last).toMatchObject({ passed: true, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const { digest, events } = (once as { last: { digest: string; events: number } }).last;
  expect(shared?.last).toMatchObject({ passed: true, digest, events });
  expect(other?.last).not.toMatchObject({ digest });
});

test("an unmodified SDK reads a region while its clock runs, and its changes wait until the clock stands", async () => {
  const settings = join(folder, "settings.json");
  writeFileSync(settings, JSON.stringify(usualSettings(region)));
  const state = join(folder, "state");
  const child = start("driven/main.ts", [
    "--state",
    state,
    "--settings",
    settings,
    "--devices",
    "50",
    "--json",
  ]);
  const line = await new Promise<string>((first) => {
    if (child.stdout !== null) createInterface({ input: child.stdout }).once("line", first);
  });
  const where = JSON.parse(line) as Record<"endpoint" | "controlUrl" | "controlToken", string> & {
    now: number;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  const control = async (name: string, body: object) => {
    const headers = { authorization: `Bearer ${where.controlToken}` };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${where.controlUrl}/${name}`, init);
    return (await answer.json()) as { now: number; things?: string[]; readings?: number };
  };
  const { endpoint, credentials } = where;
  const client = { endpoint, region, credentials, maxAttempts: 1 };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const greengrass = new GreengrassV2Client(client);
  const end = where.now + 24 * 3_600_000;
  let stands = false;
  const driven = control("run-until", { time: end }).then((answer) => {
    stands = true;
    return answer;
  });
  const object = { Bucket: "coalmine-lake", Key: "note" };
  const put = s3.send(new PutObjectCommand({ ...object, Body: "a change" })).then(() => stands);
  const during: number[] = [];
  while (during.length < 3) {
    during.push((await control("status", {})).now);
    await greengrass.send(new ListCoreDevicesCommand({}));
  }
  expect(stands).toBe(false);
  expect(during.every((now) => now < end)).toBe(true);
  expect(await driven).toEqual({ now: end });
  expect(await put).toBe(true);
  const got = await s3.send(new GetObjectCommand(object));
  expect(got.LastModified?.getTime()).toBe(Math.floor(end / 1000) * 1000);

  const { things } = await control("fault", { kind: "cut", share: 0.04, seconds: 600 });
  expect(things).toHaveLength(2);
  await control("run-until", { time: end + 300_000 });
  // Beside them may be one whose line is bad by itself.
  expect(await notConnected(control)).toEqual(expect.arrayContaining(things ?? []));
  await control("run-until", { time: end + 3_600_000 });
  expect(await notConnected(control)).not.toEqual(expect.arrayContaining(things ?? []));
  expect((await control("oracle", { before: where.now + 3_600_000 })).readings).toBeGreaterThan(50 * 220);
  const ended = new Promise((exit) => child.on("exit", exit));
  await control("stop", {});
  expect(await ended).toBe(0);
});

async function notConnected(control: (name: string, body: object) => Promise<object>): Promise<string[]> {
  const { devices } = (await control("status", {})) as { devices: { thing: string; connected: boolean }[] };
  return devices
    .filter(({ connected }) => !connected)
    .map(({ thing }) => thing)
    .toSorted();
}

test("a region of its own gives its devices the policy that the real account gives", () => {
  const settings = usualSettings(region);
  const place = { region, accountId: settings.accountId, partition: "aws" };
  expect(settings.policies).toEqual([{ name: names.devicePolicy, document: devicePolicy(place) }]);
  expect(settings.roleAlias.name).toBe(names.roleAlias);
  expect(settings.thingGroups).toEqual([names.fleetGroup]);
});
