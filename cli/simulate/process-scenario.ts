import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoalmineError, jsonLog, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { playOnProcesses } from "../../simulator/fleet/process/scenario/play-on-processes.ts";
import { readRelease } from "../../simulator/fleet/release/release-folder.ts";
import { reversioned } from "../../simulator/fleet/release/reversioned.ts";
import {
  readScenario,
  scenarioNames,
  UnreadableScenarioError,
} from "../../simulator/fleet/scenario/read-scenario.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Places } from "../system/state.ts";
import { openProcessWorld } from "./process-world.ts";

export interface ProcessScenarioOptions {
  readonly scenario: string;
  readonly seed: string;
  /** Where it says nothing, the scenario's. */
  readonly devices?: number;
  readonly json: boolean;
  /** Folders that a build made; without a candidate an upgrade is to the same bytes under the next versions. */
  readonly running: string;
  readonly candidate?: string;
}

/** Whether a scenario that is there runs on process devices; what cannot be read is whoever's who plays it to say. */
export function isOnProcesses(scenario: string): boolean {
  try {
    return readScenario(scenario).runsOn === "process";
  } catch (unreadable) {
    if (unreadable instanceof UnreadableScenarioError) return false;
    throw unreadable;
  }
}

/** Plays it in real time; the last line on standard output says of each check whether it held. Gives the exit code. */
export async function playProcessScenario(at: Places, options: ProcessScenarioOptions): Promise<number> {
  const scenario = readScenario(options.scenario);
  const { seed, json } = options;
  const devices = options.devices ?? scenario.fleet.devices;
  const startedMs = systemClock.monotonicMs();
  const progress = (sentence: string): void => {
    process.stderr.write(`${sentence} (${((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1)} s)\n`);
  };
  // Short: sockets are in it.
  const folder = await mkdtemp(join(tmpdir(), "cp-"));
  const log = jsonLog("cloud", systemClock, (line) => process.stderr.write(`${line}\n`));
  try {
    const running = readRelease(options.running);
    const candidate = options.candidate === undefined ? reversioned(running) : readRelease(options.candidate);
    const world = await openProcessWorld(at, {
      folder,
      seed,
      log,
      devices,
      curveSeconds: scenario.load.curveEvery / 1000,
      hasSmallDisks: scenario.faults.some(({ kind }) => kind === "disk-full"),
      progress,
    });
    try {
      const checks = await playOnProcesses(world, { scenario, seed, running, candidate, progress });
      const passed = checks.every(({ ok }) => ok);
      process.stdout.write(
        json
          ? `${JSON.stringify({ scenario: options.scenario, seed, devices, passed, invariants: checks })}\n`
          : checks.map(({ name, ok, found }) => `${ok ? "ok" : "FAILED"}: ${name} (${found})\n`).join(""),
      );
      return passed ? exitCodes.done : exitCodes.halted;
    } finally {
      await world.close();
    }
  } catch (failure) {
    if (!(failure instanceof CoalmineError)) throw failure;
    process.stderr.write(`${messageOf(failure)}\n`);
    return exitCodes.halted;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function processScenarioNames(): readonly string[] {
  return scenarioNames().filter(isOnProcesses);
}
