import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { openWitnessed } from "../evidence/witnessed-region.ts";
import { readRelease, type Release } from "../release/release-folder.ts";
import { Course } from "./course.ts";
import { byPlace, gates, gateScenarios, scenariosOf } from "./gate-scenarios.ts";
import { endedBy, isNamedFailure, played, type ScenarioOutcome } from "./outcome.ts";
import { processScenarios } from "./process-scenarios.ts";
import { rehearse, upgradeScenario } from "./rehearse.ts";
import { componentsOf, reportOf } from "./report-of.ts";
import type { RehearsalReport } from "./report.ts";
import { weighing } from "../weighing/weighing.ts";
import { writeReport } from "./write-report.ts";

/**
 * The gate before publishing: the candidate's own bytes on a simulated fleet, upgraded to under load and faults, and
 * rolled back from. A process of its own, since imported versions are never freed.
 */
const usage = `usage: simulator/fleet/rehearsal/main.ts --candidate DIR [--running DIR] [--devices 8] [--seed 1] [--artifacts DIR] [--report DIR] [--commit SHA] [--gate upgrade|default|full] [--process-player FILE] [--json]
  The folders are what a build makes: build.json, recipes, artifacts. --artifacts keeps unpacked artifacts for the next time.
  --report is where report.html, report.json and report.xml (JUnit) are written; --commit is what they say was rehearsed.
  --gate full plays beside the upgrade each scenario whose file says so, and not only those of every push;
  --gate upgrade plays none, and does not weigh the release beside what runs now, each in a process of its own;
  --process-player is the program that plays those on process devices (cli/simulate/process-main.ts); without it they are left out.`;
const EXIT = { unexpected: 1, usage: 2, failed: 3 } as const;
const Options = z.object({
  candidate: z.string().min(1),
  running: z.string().optional(),
  devices: z.coerce.number().int().min(2).max(1000),
  seed: z.string().min(1),
  artifacts: z.string().optional(),
  report: z.string().min(1).optional(),
  commit: z.string().min(1),
  gate: z.enum(gates),
  processPlayer: z.string().min(1).optional(),
  json: z.boolean(),
});
type Options = z.infer<typeof Options>;
/** Of the last line, which the pipeline's state cuts after 500. */
const SENTENCE_CHARACTERS_MAX = 300;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return EXIT.usage;
  }
  const startedMs = systemClock.monotonicMs();
  const seconds = (): number => Math.round((systemClock.monotonicMs() - startedMs) / 100) / 10;
  const progress = (sentence: string): void => {
    const line = options.json
      ? JSON.stringify({ seconds: seconds(), progress: sentence })
      : `${sentence} (${seconds()} s)`;
    process.stdout.write(`${line}\n`);
  };
  const temporary = options.artifacts === undefined ? mkdtempSync(join(tmpdir(), "rehearsal-")) : undefined;
  const artifactFolder = temporary ?? options.artifacts ?? "";
  mkdirSync(artifactFolder, { recursive: true });
  const outcomes: ScenarioOutcome[] = [];
  try {
    // Read before anything is played: a file that cannot be meant is told at once.
    const names = byPlace(scenariosOf(options.gate));
    const running = options.running === undefined ? undefined : readRelease(options.running);
    const candidate = readRelease(options.candidate);
    // On the other core meanwhile.
    const weighed =
      options.running === undefined || options.gate === "upgrade"
        ? Promise.resolve([])
        : weighing(options.running, options.candidate, options.seed, join(artifactFolder, "weighed"));
    // Where the upgrade itself comes to nothing, that is told first.
    weighed.catch(() => undefined);
    outcomes.push(await upgradeAndBack({ options, running, candidate, artifactFolder, progress }));
    const weights = await weighed;
    if (weights.length > 0)
      outcomes.push({ checks: weights.map((check) => ({ ...check, scenario: "weighing" })) });
    if (options.running === undefined && names.hosted.length + names.process.length > 0)
      progress("nothing runs yet that the other scenarios could begin from; they are left out");
    else if (options.running !== undefined) {
      const told = { ...options, running: options.running, artifactFolder };
      outcomes.push(...(await gateScenarios(names.hosted, told, systemClock, progress)));
      const { processPlayer } = options;
      if (processPlayer !== undefined)
        outcomes.push(...(await processScenarios(names.process, processPlayer, told, progress)));
      else if (names.process.length > 0)
        progress(`without --process-player nobody plays ${names.process.join(" and ")}`);
    }
    return end(options, outcomes, seconds(), componentsOf(running, candidate));
  } catch (failure) {
    // Whatever it was, there is a report of it.
    outcomes.push(endedBy(failure));
    const code = end(options, outcomes, seconds(), []);
    if (isNamedFailure(failure)) return code;
    throw failure;
  } finally {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

async function upgradeAndBack({
  options: { devices, seed },
  running,
  candidate,
  artifactFolder,
  progress,
}: {
  readonly options: Options;
  readonly running: Release | undefined;
  readonly candidate: Release;
  readonly artifactFolder: string;
  readonly progress: (sentence: string) => void;
}): Promise<ScenarioOutcome> {
  // A rehearsal's faults are its own.
  const witnessed = await openWitnessed({
    devices,
    seed,
    artifactFolder,
    faultyShare: 0,
    pointwiseDevices: 1,
    keepsLines: true,
  });
  const course = new Course(witnessed, { running, candidate });
  const random = new SeededRandom(`rehearsal/${seed}`);
  const outcome = await played(upgradeScenario, course, systemClock, () =>
    rehearse({ ...witnessed, random, candidate, running, course, progress }),
  );
  await witnessed.region.close();
  return outcome;
}

/** Tells whoever waits, and leaves the report where one is wanted. */
function end(
  { report: folder, json, commit, seed, devices, running }: Options,
  outcomes: readonly ScenarioOutcome[],
  seconds: number,
  components: RehearsalReport["components"],
): number {
  const repeat = `node simulator/fleet/rehearsal/main.ts --candidate dist${running === undefined ? "" : " --running dist-running"} --devices ${devices} --seed ${seed}`;
  const report = reportOf({
    commit,
    atMs: systemClock.now(),
    seconds,
    seed,
    repeat,
    devices,
    components,
    outcomes,
  });
  const { passed, verdict, checks } = report;
  const hours = outcomes.reduce((sum, { course }) => sum + hoursOf(course), 0);
  if (folder !== undefined) writeReport(folder, report);
  const where = folder === undefined ? "" : ` The report is ${join(folder, "report.html")}.`;
  process.stdout.write(
    json
      ? `${JSON.stringify({ passed, verdict, checks, seconds, hours, ...(folder === undefined ? {} : { report: folder }) })}\n`
      : `${checks.map(({ name, ok, found }) => `${ok ? "ok" : "FAILED"}: ${name} (${found})\n`).join("")}${where === "" ? verdict : `${shortened(verdict)}${where}`}\n`,
  );
  return passed ? 0 : EXIT.failed;
}

/** On the devices' clock. */
function hoursOf(course: ScenarioOutcome["course"]): number {
  return course === undefined ? 0 : (course.toMs - course.fromMs) / 3_600_000;
}

/** The pipeline's state has room for so much beside the report's path; the report has the whole. */
function shortened(sentence: string): string {
  return sentence.length <= SENTENCE_CHARACTERS_MAX
    ? sentence
    : `${sentence.slice(0, SENTENCE_CHARACTERS_MAX)}….`;
}

function readOptions(): Options | undefined {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      options: {
        candidate: text,
        running: text,
        devices: { type: "string", default: "8" },
        seed: { type: "string", default: "1" },
        artifacts: text,
        report: text,
        commit: { type: "string", default: "a build without a commit" },
        gate: { type: "string", default: "default" },
        "process-player": text,
        json: { type: "boolean", default: false },
      },
    });
    const { "process-player": processPlayer, ...rest } = values;
    return Options.safeParse({ ...rest, processPlayer }).data;
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(`The rehearsal failed: ${messageOf(failure)}\n`);
    process.exit(EXIT.unexpected);
  },
);
