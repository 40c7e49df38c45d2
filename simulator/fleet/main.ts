import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { openWitnessed } from "./evidence/witnessed-region.ts";
import { readRelease } from "./release/release-folder.ts";
import { reversioned } from "./release/reversioned.ts";
import { digestOf } from "./scenario/event-log.ts";
import { play, scenarioNames } from "./scenario/scenarios.ts";
import { parseSteps, type Step } from "./scenario/steps.ts";

/**
 * Plays a scenario of a simulated fleet from one seed. The last line holds the digest of everything that happened and
 * each invariant's result: the same seed gives the same line.
 */
const usage = `usage: simulator/fleet/main.ts simulate [--scenario ${scenarioNames.join("|")}] [--seed 1] [--devices 20] [--json]
  [--running dist] [--candidate DIR] [--artifacts DIR] [--steps FILE]
  The folders are what a build makes. Without --candidate an upgrade is to the same bytes under the next versions.
  The steps are faults and their times, as JSON: simulator/fleet/README.md lists them.`;
const EXIT = { unexpected: 1, usage: 2, failed: 3 } as const;
const Options = z.object({
  scenario: z.enum(scenarioNames),
  seed: z.string().min(1),
  devices: z.coerce.number().int().min(1).max(10_000),
  running: z.string(),
  candidate: z.string().optional(),
  artifacts: z.string().optional(),
  steps: z.string().optional(),
  json: z.boolean(),
});

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return EXIT.usage;
  }
  const { scenario, seed, devices, json } = options;
  const startedMs = systemClock.monotonicMs();
  // Seconds of this machine belong to no digest: they go to whoever watches.
  const progress = (sentence: string): void => {
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1);
    process.stderr.write(`${sentence} (${seconds} s)\n`);
  };
  const temporary = options.artifacts === undefined ? mkdtempSync(join(tmpdir(), "simulation-")) : undefined;
  const artifactFolder = temporary ?? options.artifacts ?? "";
  mkdirSync(artifactFolder, { recursive: true });
  try {
    const steps = options.steps === undefined ? [] : readSteps(options.steps);
    const running = readRelease(options.running);
    const candidate = options.candidate === undefined ? reversioned(running) : readRelease(options.candidate);
    const witnessed = await openWitnessed({ devices, seed, artifactFolder });
    const checks = await play(scenario, { ...witnessed, running, candidate, progress }, steps);
    await witnessed.region.close();
    const passed = checks.every(({ ok }) => ok);
    const digest = digestOf(witnessed.events);
    const told = {
      scenario,
      seed,
      devices,
      passed,
      events: witnessed.events.length,
      digest,
      invariants: checks,
    };
    process.stdout.write(
      json
        ? `${JSON.stringify(told)}\n`
        : `${checks.map(({ name, ok, found }) => `${ok ? "ok" : "FAILED"}: ${name} (${found})\n`).join("")}${told.events} events, digest ${digest}\n`,
    );
    return passed ? 0 : EXIT.failed;
  } catch (failure) {
    if (!(failure instanceof CoalmineError)) throw failure;
    process.stderr.write(`${failure.message}\n`);
    return EXIT.failed;
  } finally {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

function readSteps(path: string): readonly Step[] {
  return parseSteps(readFileSync(path, "utf8"), path);
}

function readOptions(): z.infer<typeof Options> | undefined {
  try {
    const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        scenario: text("steady-day"),
        seed: text("1"),
        devices: text("20"),
        running: text("dist"),
        candidate: { type: "string" },
        artifacts: { type: "string" },
        steps: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    return positionals.join(" ") === "simulate" ? Options.safeParse(values).data : undefined;
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
