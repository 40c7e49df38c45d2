import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import {
  readFaults,
  readScenario,
  scenarioNames,
  UnreadableScenarioError,
} from "./scenario/read-scenario.ts";
import { AT_A_TIME, indivisible, sharedRun, unshared } from "./scenario/shared-run.ts";
import { RunStopped } from "./scenario/watched-run.ts";
import type { Outcome, ToRun } from "./scenario/run-wire.ts";
import { shrink } from "./scenario/shrink.ts";

/**
 * Plays a scenario of a simulated fleet from one seed. The last line holds the digest of everything that happened and
 * what must hold: the same seed gives the same line. Of a failure it finds the fewest faults that still bring it about.
 */
const usage = `usage: simulator/fleet/main.ts simulate [--scenario NAME|FILE.yaml] [--seed 1] [--devices N] [--json]
  [--running dist] [--candidate DIR] [--artifacts DIR] [--faults FILE.yaml] [--shrink-runs 16] [--keep DIR] [--processes 1] [--at-a-time ${AT_A_TIME}]
  Scenarios: ${scenarioNames().join(", ")}; simulator/fleet/scenarios/README.md says how to write one.
  The folders are what a build makes. Without --candidate an upgrade is to the same bytes under the next versions.
  --faults is a list of faults, as a scenario has it, that is played instead of the scenario's own.
  --keep is where the fewest faults of a failure are written, \`faults\` in the state's folder otherwise.
  --processes share one fleet, where the scenario lets them, and each plays its devices so many at a time: the event log is
  the same.`;
/** Beside what else this machine keeps: `COALMINE_STATE`, or `.coalmine` here. */
const KEEP = join(process.env["COALMINE_STATE"] ?? ".coalmine", "faults");
const EXIT = { unexpected: 1, usage: 2, failed: 3, stopped: 5 } as const;
const Options = z.object({
  scenario: z.string(),
  seed: z.string().min(1),
  devices: z.coerce.number().int().min(1).max(10_000).optional(),
  running: z.string(),
  candidate: z.string().optional(),
  artifacts: z.string().optional(),
  faults: z.string().optional(),
  shrinkRuns: z.coerce.number().int().min(0).max(1000),
  keep: z.string().min(1),
  processes: z.coerce.number().int().min(1).max(64),
  atATime: z.coerce.number().int().min(1).max(10_000),
  json: z.boolean(),
});
type Options = z.infer<typeof Options>;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return EXIT.usage;
  }
  const temporary = mkdtempSync(join(tmpdir(), "simulation-"));
  try {
    return await simulate(options, temporary);
  } catch (failure) {
    if (!(failure instanceof CoalmineError)) throw failure;
    process.stderr.write(`${failure.message}\n`);
    if (failure instanceof UnreadableScenarioError) return EXIT.usage;
    return failure instanceof RunStopped ? EXIT.stopped : EXIT.failed;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function simulate(options: Options, temporary: string): Promise<number> {
  const { seed, json } = options;
  const scenario = readScenario(options.scenario);
  if (scenario.runsOn === "process")
    throw new UnreadableScenarioError(
      `${options.scenario} runs on process devices, which have to be commissioned: npm exec coalmine -- simulate --scenario ${options.scenario}`,
    );
  const faults = options.faults === undefined ? scenario.faults : readFaults(options.faults);
  const why = indivisible({ ...scenario, faults: [...faults] });
  const shares = why === undefined ? options : unshared;
  const devices = options.devices ?? scenario.fleet.devices;
  const artifactFolder = options.artifacts ?? join(temporary, "artifacts");
  mkdirSync(artifactFolder, { recursive: true });
  const startedMs = systemClock.monotonicMs();
  // Seconds of this machine belong to no digest: they go to whoever watches.
  const progress = (sentence: string): void => {
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1);
    process.stderr.write(`${sentence} (${seconds} s)\n`);
  };
  const told: ToRun = { ...options, devices, artifactFolder };
  const { bounds } = scenario;
  if ((options.processes > 1 || devices > options.atATime) && why !== undefined)
    progress(`one process plays all of it at once: ${why}`);
  const outcome = await sharedRun(told, { clock: systemClock, bounds, progress }, shares);
  const { passed, events, digest, checks } = outcome;
  const line = { scenario: options.scenario, seed, devices, passed, events, digest, invariants: checks };
  if (!json)
    process.stdout.write(
      `${checks.map(({ name, ok, found }) => `${ok ? "ok" : "FAILED"}: ${name} (${found})\n`).join("")}${events} events, digest ${digest}\n`,
    );
  if (passed) {
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    return 0;
  }
  const again = async (faults: readonly object[]): Promise<boolean> => {
    const file = join(temporary, "faults.json");
    writeFileSync(file, JSON.stringify(faults));
    const tried = await sharedRun(
      { ...told, faults: file },
      { clock: systemClock, bounds, progress: () => undefined },
      shares,
    );
    progress(`with ${faults.length} faults it ${failsAlike(tried, outcome) ? "fails" : "passes"}`);
    return failsAlike(tried, outcome);
  };
  const smallest = await shrink(outcome.faults, again, options.shrinkRuns);
  mkdirSync(options.keep, { recursive: true });
  const kept = resolve(options.keep, `faults-${digest.slice(0, 12)}.yaml`);
  writeFileSync(kept, `${JSON.stringify(smallest.items, undefined, 2)}\n`);
  const replay = replayed(options, devices, kept);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ...line, replay, kept, smallest: smallest.items, isSmallest: smallest.isSmallest })}\n`,
    );
  else
    process.stdout.write(
      `${shrunkTold(outcome.faults.length, smallest)}\nThey are in ${kept}.\nPlay it again: ${replay}\n`,
    );
  return EXIT.failed;
}

/** One of what failed then fails again. */
function failsAlike(tried: Outcome, first: Outcome): boolean {
  const failed = new Set(first.checks.filter(({ ok }) => !ok).map(({ name }) => name));
  return tried.checks.some(({ ok, name }) => !ok && failed.has(name));
}

function shrunkTold(
  all: number,
  { items, runs, isSmallest }: Awaited<ReturnType<typeof shrink<object>>>,
): string {
  if (items.length === 0) return all === 0 ? "It has no faults to leave out." : "It fails without any fault.";
  return isSmallest
    ? `Of ${all} faults these ${items.length} are enough, and none of them can be left out.`
    : `Of ${all} faults these ${items.length} are enough; after ${runs} runs the search was ended (--shrink-runs), and fewer may be.`;
}

function replayed({ scenario, seed, running, candidate }: Options, devices: number, faults: string): string {
  const words = ["--scenario", scenario, "--seed", seed, "--devices", String(devices), "--faults", faults];
  if (running !== "dist") words.push("--running", running);
  if (candidate !== undefined) words.push("--candidate", candidate);
  return `npm run simulate -- ${words.map((word) => (/^[\w./:@=-]+$/.test(word) ? word : JSON.stringify(word))).join(" ")}`;
}

function readOptions(): Options | undefined {
  try {
    const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        scenario: text("steady-day"),
        seed: text("1"),
        devices: { type: "string" },
        running: text("dist"),
        candidate: { type: "string" },
        artifacts: { type: "string" },
        faults: { type: "string" },
        "shrink-runs": text("16"),
        keep: text(KEEP),
        processes: text("1"),
        "at-a-time": text(String(AT_A_TIME)),
        json: { type: "boolean", default: false },
      },
    });
    const { "shrink-runs": shrinkRuns, "at-a-time": atATime, ...rest } = values;
    return positionals.join(" ") === "simulate"
      ? Options.safeParse({ ...rest, shrinkRuns, atATime }).data
      : undefined;
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(`The simulation failed: ${messageOf(failure)}\n`);
    process.exit(EXIT.unexpected);
  },
);
