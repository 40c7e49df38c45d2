import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RolloutSummary } from "@coalmine/contract";
import { messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { describeRollout, listRollouts, type RolloutDescription } from "../../api/describe.ts";
import { keep } from "../../pipeline/stages/install.ts";
import { recordOverride } from "../../pipeline/stages/override.ts";
import { mutants, type MutantName } from "../../simulator/fleet/mutants/catalogue.ts";
import type { Change } from "../../simulator/fleet/mutants/change.ts";
import { memoryOfTree } from "../../simulator/fleet/process/process-tree.ts";
import { endCutOff } from "../system/cut-off.ts";
import type { Places } from "../system/state.ts";
import { startSystem, type System } from "../system/system.ts";
import { DRIVEN } from "../system/driven-region.ts";
import { executionOf, stateOf, type ExecutionState } from "./follow.ts";
import { localApi } from "./local-api.ts";
import { balanceOfAll, sum } from "./readings.ts";
import { harmless } from "./harmless.ts";
import { commitChange, push } from "./scratch-clone.ts";
import { verdictAtMs } from "./verdict-time.ts";

export interface MainJobOptions {
  readonly at: Places;
  readonly processDevices: number;
  readonly hostedDevices: number;
  readonly seed: string;
  readonly regression: MutantName | undefined;
  readonly letPast: "rehearse" | undefined;
  readonly say: (sentence: string) => void;
  readonly logLine: (line: string) => void;
  readonly signal: AbortSignal;
}

const FOLLOW_MS = 1000;
const MEMORY_MS = 5000;
const HOUR_MS = 3_600_000;
const JOB_MS_MAX = 30 * 60_000;

/** Removes what the last main job left: each begins with nothing, as in a fresh clone. Only downloads and zips stay. */
export async function beginAnew(at: Places, say: (sentence: string) => void): Promise<void> {
  const ended = await endCutOff(at);
  if (ended !== undefined)
    say(`the last main job was cut off; ${ended} of its processes were still there and are ended`);
  rmSync(at.state, { recursive: true, force: true });
}

/** The whole path of one push, unattended: what a developer, the pipeline, the controller and an operator do. */
export async function mainJob(options: MainJobOptions): Promise<RolloutSummary> {
  const { at, say, regression, signal } = options;
  const startedMs = systemClock.monotonicMs();
  const beganMs = systemClock.now();
  /** By stage; `verdict` and `total` since the beginning. */
  const seconds: Record<string, number> = {};
  const took = (stage: string, sinceMs: number): void => {
    seconds[stage] = Math.round((systemClock.monotonicMs() - sinceMs) / 100) / 10;
  };
  const memory = watchMemory();
  let system: System | undefined;
  try {
    keep(at.root, at.cache);
    system = await startSystem(options);
    took("up", startedMs);
    signal.throwIfAborted();
    const change: Change = regression === undefined ? harmless : mutants[regression];
    const scratch = join(at.state, "scratch");
    const changeMs = systemClock.monotonicMs();
    const { commit, bumped } = await commitChange(at.repository, scratch, at.cache, change);
    say(`a change: ${change.what} (${commit.slice(0, 12)}); ${bumped.split("\n")[0] ?? ""}`);
    if (options.letPast !== undefined) {
      const override = {
        commit,
        stage: options.letPast,
        who: "the main job",
        why: "asked for by --let-past, to show the canary doing the stopping",
      };
      await recordOverride(system.regions[0].s3, system.regions[0].target.artifactBucket, override);
    }
    for (const line of await push(scratch)) say(line);
    took("change", changeMs);
    const state = await follow(system, commit, options);
    // A push that ended early is not waited for by a fleet that grows old.
    await system.aging.stop();
    for (const stage of state.stages) seconds[stage.name.toLowerCase()] = Math.round(stage.seconds * 10) / 10;
    const rollout = await endOfRollout(system, commit, options);
    const verdictMs = rollout && (await verdictOf(system, rollout.rollout));
    if (verdictMs !== undefined) seconds["verdict"] = Math.round((verdictMs - beganMs) / 100) / 10;
    const readingsMs = systemClock.monotonicMs();
    const { home, driven } = await balanceOfAll(system, join(at.state, "lake"), systemClock, change.drops);
    took("readings", readingsMs);
    const { examples, dropped, ...readings } = sum(home, driven);
    // What the planted release drops is what it is stopped for.
    const isWhole = readings.lost === dropped && readings.doubled === 0;
    const outcome = isWhole ? outcomeOf(state, rollout) : "failed";
    const because = rollout?.because ?? failureOf(state);
    const canary = rollout?.targets.reduce((all, { devices }) => all + devices.canary, 0) ?? 0;
    took("total", startedMs);
    return {
      outcome,
      release: commit.slice(0, 12),
      why: isWhole
        ? `${because}${dropped === 0 ? "" : ` All of the ${dropped} points that are missing are readings that this release leaves out.`}`
        : `${readings.lost} points were lost and ${readings.doubled} doubled between instrument and lake (${examples.join("; ")}); before that: ${because}`,
      fleet: { process: options.processDevices, hosted: options.hostedDevices, canary },
      soakHours: Math.round(
        (rollout?.targets.find(({ target }) => target === "driven")?.verdict?.elapsedMs ?? 0) / HOUR_MS,
      ),
      readings,
      memoryMiB: Math.round(memory.stop()),
      seconds,
    };
  } finally {
    memory.stop();
    await system?.stop();
  }
}

/** Follows the execution to its end, and promotes with the command that a person uses. */
async function follow(
  system: System,
  commit: string,
  { at, say, signal }: MainJobOptions,
): Promise<ExecutionState> {
  const [{ codepipeline }] = system.regions;
  const deadline = systemClock.monotonicMs() + JOB_MS_MAX;
  const execution = await executionOf(codepipeline, commit);
  if (execution === undefined)
    throw new Error(`no execution was started for ${commit}; the push was said above`);
  let told = "";
  let promoted = false;
  for (;;) {
    signal.throwIfAborted();
    const state = await stateOf(codepipeline, execution, systemClock);
    const current = state.stages.at(-1);
    const line =
      current === undefined
        ? ""
        : `${current.name}: ${current.status}${current.summary === "" ? "" : ` (${current.summary})`}`;
    if (line !== told) say((told = line));
    if (state.status !== "InProgress") return state;
    // Publishing changes the driven region too, and would wait for each hour that it runs.
    if (current?.name === "Publish") void system.aging.stop();
    if (current?.name === "Promote" && !promoted) promoted = await promote(at, commit, say);
    if (systemClock.monotonicMs() > deadline)
      throw new Error(
        `after ${JOB_MS_MAX / 60_000} min the pipeline is still at ${line}; \`coalmine rollout show\` says what is stuck`,
      );
    await systemClock.sleep(FOLLOW_MS, signal);
  }
}

async function promote(at: Places, commit: string, say: (sentence: string) => void): Promise<boolean> {
  const command = [
    "rollout",
    "promote",
    commit.slice(0, 12),
    "--reason",
    "the canary proved itself; promoted by the main job",
  ];
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(at.root, "cli/main.ts"), ...command],
      { cwd: at.root, env: { ...process.env, COALMINE_STATE: at.base, COALMINE_CACHE: at.cache } },
    );
    say(`$ coalmine ${command.join(" ")}\n${stdout.trim()}`);
    return true;
  } catch (failure) {
    say(`not promoted yet: ${messageOf(failure).trim().split("\n").at(-1) ?? ""}`);
    return false;
  }
}

/** The rollout of this commit when it has ended, or undefined where the push never became one. */
async function endOfRollout(
  system: System,
  commit: string,
  { say, signal }: MainJobOptions,
): Promise<RolloutDescription | undefined> {
  const { api } = localApi(system.running);
  const deadline = systemClock.monotonicMs() + JOB_MS_MAX / 2;
  let told = "";
  for (;;) {
    signal.throwIfAborted();
    const listed = (await listRollouts(api)).find((one) => one.commit === commit);
    if (listed === undefined) return undefined;
    const described = await describeRollout(api, { rollout: listed.rollout });
    if (described.phase === "done" || described.phase === "refused" || described.phase === "nothingToDo")
      return described;
    if (described.phase !== told)
      say(
        `the rollout is ${(told = described.phase)}${described.because === undefined ? "" : `: ${described.because}`}`,
      );
    if (systemClock.monotonicMs() > deadline)
      throw new Error(
        `the rollout is still ${described.phase}; outstanding: ${described.outstanding.join(", ")}`,
      );
    await systemClock.sleep(FOLLOW_MS, signal);
  }
}

/** When the driven region's canary had its verdict: what a push waits for, whatever the others take. */
async function verdictOf({ running }: System, rollout: string): Promise<number | undefined> {
  const { api } = localApi(running);
  return verdictAtMs(await api.log.entries(rollout), DRIVEN.name);
}

function outcomeOf(
  state: ExecutionState,
  rollout: RolloutDescription | undefined,
): RolloutSummary["outcome"] {
  if (rollout?.outcome === "promoted" && state.status === "Succeeded") return "promoted";
  if (rollout?.outcome === "halted" || rollout?.outcome === "inconclusive") return rollout.outcome;
  const failed = state.stages.find(({ status }) => status === "Failed")?.name;
  // Stopped before any device was touched.
  return failed === "Rehearse" || failed === "Check" ? "halted" : "failed";
}

function failureOf(state: ExecutionState): string {
  const failed = state.stages.find(({ status }) => status === "Failed");
  return failed === undefined ? state.statusSummary : `${failed.name} stopped it: ${failed.summary}`;
}

/** The peak of what this process and everything below it hold, in MiB. */
function watchMemory(): { stop(): number } {
  let peak = 0;
  const look = (): void => {
    void memoryOfTree(process.pid).then(({ pssBytes }) => {
      peak = Math.max(peak, pssBytes / 1024 ** 2);
    });
  };
  look();
  const timer = setInterval(look, MEMORY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}
