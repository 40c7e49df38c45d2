/** A work stage of the pipeline, in a checkout of the push: `node pipeline/stages/main.ts check|build|rehearse|publish|console`. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { readBuild } from "../build/build-manifest.ts";
import { parsePolicy } from "../policy.ts";
import { git } from "../push/repository.ts";
import { copySite } from "../publish/console-site.ts";
import { publishRelease } from "../publish/publish-release.ts";
import { targetTime } from "../controller/target-time.ts";
import { signersOf } from "../supply/signers.ts";
import { verifyBuild } from "../supply/verify-files.ts";
import { greengrassOf, s3Of, targetsOf, type Target } from "../target.ts";
import { type Base, check } from "./check.ts";
import { keepRehearsal } from "../rehearsals.ts";
import { lastPublished } from "./last-published.ts";
import { findOverride } from "./override.ts";
import { fetchRunning, runningVersions } from "./running-release.ts";

const EXIT = { failed: 1, usage: 2, halted: 3 } as const;
/** A program of a stage that ended otherwise than well; the message is its last line. */
class StageFailed extends Error {
  readonly exitCode: number | null;
  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

const folder = process.cwd();
const dist = join(folder, "dist");
const running = join(folder, "dist-running");
const stages: Readonly<Record<string, () => Promise<void>>> = {
  check: checkStage,
  build: buildStage,
  rehearse: rehearseStage,
  publish: publishStage,
  console: consoleStage,
};

const stage = stages[process.argv[2] ?? ""];
if (stage === undefined) {
  console.error(
    `there is no stage "${process.argv[2] ?? ""}"; take one of ${Object.keys(stages).join(", ")}`,
  );
  process.exitCode = EXIT.usage;
} else {
  await stage().catch((failure: unknown) => {
    console.error(failure instanceof CoalmineError ? failure.message : messageOf(failure));
    process.exitCode =
      failure instanceof StageFailed && failure.exitCode === EXIT.halted ? EXIT.halted : EXIT.failed;
  });
}

async function checkStage(): Promise<void> {
  const base = await baseOf();
  if (base?.isPublished === true)
    console.log(`compared with ${base.commit.slice(0, 12)}, which was published`);
  const failures = await check(folder, base);
  if (failures.length > 0) throw new Error(`failed: ${failures.join("; ")}`);
  console.log("types, lint and the tests that this push touches pass");
}

async function buildStage(): Promise<void> {
  await command("pipeline/build/main.ts");
  const { components } = readBuild(dist);
  const mebibytes =
    components
      .flatMap(({ artifacts }) => Object.values(artifacts))
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) /
    1024 ** 2;
  console.log(
    `${components.length} components built, ${mebibytes.toFixed(0)} MiB of artifacts, all as released.json has them`,
  );
}

async function rehearseStage(): Promise<void> {
  const home = homeTarget();
  rmSync(running, { recursive: true, force: true });
  const ports = portsOf(home);
  // The pushed one, as everything else that this push is judged by.
  const { rehearsal } = parsePolicy(readFileSync(join(folder, "pipeline/policy.yaml"), "utf8"));
  const versions = await runningVersions(home, ports);
  if (versions !== undefined) await fetchRunning(versions, readBuild(dist), dist, running, home, ports);
  const words = [
    "--candidate",
    dist,
    ...(versions === undefined ? [] : ["--running", running]),
    "--devices",
    String(rehearsal.devices),
    "--seed",
    commit(),
    "--gate",
    rehearsal.gate,
    "--commit",
    commit(),
    "--report",
    rehearsalFolder(),
    "--process-player",
    join(folder, "cli/simulate/process-main.ts"),
  ];
  try {
    await command("simulator/fleet/rehearsal/main.ts", ...words);
  } catch (failure) {
    const override = await findOverride(s3Of(home), home.artifactBucket, commit());
    if (override === undefined) throw failure;
    console.log(
      `the rehearsal refused this push (${messageOf(failure)}), and ${override.who} let it past: ${override.why}`,
    );
  } finally {
    await keepRehearsal(ports.s3, home.artifactBucket, commit(), rehearsalFolder());
  }
}

async function publishStage(): Promise<void> {
  refuseUnsigned();
  const [home, ...others] = targetsOf(process.env).map((target) => ({ target, ...portsOf(target) }));
  if (home === undefined) throw new Error("COALMINE_TARGETS names no target");
  const controlTokens = z
    .record(z.string(), z.string())
    .parse(JSON.parse(process.env["COALMINE_CONTROL_TOKENS"] ?? "{}"));
  const time = targetTime({ clock: systemClock, controlTokens, tickMs: 500 });
  const { published } = await publishRelease(folder, readBuild(dist), commit(), [home, ...others], time);
  for (const [region, components] of published) {
    const created = components
      .filter(({ how }) => how === "created")
      .map(({ component, version }) => `${component} ${version}`);
    console.log(`${region}: ${created.length === 0 ? "had everything" : `created ${created.join(", ")}`}`);
  }
  console.log(`release ${commit().slice(0, 12)} is published in ${[...published.keys()].join(" and ")}`);
}

async function consoleStage(): Promise<void> {
  const bucket = process.env["COALMINE_SITE_BUCKET"];
  if (bucket === undefined)
    throw new Error("COALMINE_SITE_BUCKET names no bucket; the pipeline's own stack sets it");
  const site = join(dist, "console");
  await command("console/build.ts", "--out", site);
  const copied = await copySite(site, s3Of(homeTarget()), bucket);
  console.log(`the console's ${copied} files are in ${bucket}`);
}

/** A version that nobody signed is never rolled out: here it costs no version number yet. */
function refuseUnsigned(): void {
  const signers = signersOf(process.env);
  if (signers === undefined) return;
  const faults = verifyBuild(dist, signers).flatMap(({ fault }) => fault?.message ?? []);
  if (faults.length > 0) throw new Error(faults.join("; "));
}

/** Where the rehearsal of this push leaves its report. */
function rehearsalFolder(): string {
  return join(process.env["COALMINE_REHEARSALS"] ?? join(folder, "dist-rehearsals"), commit());
}

function homeTarget(): Target {
  const [home] = targetsOf(process.env);
  if (home === undefined) throw new Error("COALMINE_TARGETS names no target");
  return home;
}

function portsOf(target: Target) {
  return {
    greengrass: greengrassOf(target),
    s3: s3Of(target),
    accountId: process.env["COALMINE_ACCOUNT"] ?? "123456789012",
  };
}

function commit(): string {
  return process.env["COALMINE_COMMIT"] ?? git(folder, "rev-parse", "HEAD");
}

/** The last commit that was published; where none is known the one before it, of which nobody knows whether it held. */
async function baseOf(): Promise<Base | undefined> {
  // By hand there may be no target to ask.
  const home = process.env["COALMINE_TARGETS"] === undefined ? undefined : homeTarget();
  const published = home && (await lastPublished(folder, s3Of(home), home.artifactBucket));
  if (published !== undefined) return { commit: published, isPublished: true };
  try {
    return { commit: git(folder, "rev-parse", "HEAD~1"), isPublished: false };
  } catch {
    // The first commit of all has none.
    return undefined;
  }
}

/** Runs a program of this checkout; its output is the stage's, and its last line the reason where it fails. */
function command(program: string, ...words: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, program), ...words], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let tail = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        process.stdout.write(chunk);
        tail = (tail + chunk.toString("utf8")).slice(-4000);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new StageFailed(tail.trim().split("\n").at(-1) ?? `${program} ended with ${code}`, code));
    });
  });
}
