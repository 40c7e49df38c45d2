import { spawn } from "node:child_process";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { isNamedFailure, endedBy, type ScenarioOutcome } from "./outcome.ts";
import type { GateOptions } from "./gate-scenarios.ts";

/** What plays a scenario on process devices came to no end. */
export class ProcessScenarioFailed extends CoalmineError {
  readonly code = "ERR_PROCESS_SCENARIO";
}

const LINES_TOLD = 3;
const Line = z.object({
  invariants: z.array(z.object({ name: z.string(), ok: z.boolean(), found: z.string() })),
});

/**
 * Plays each in real time, one after the other, by a program that knows how devices are commissioned: the simulator does not.
 */
export async function processScenarios(
  names: readonly string[],
  player: string,
  { running, candidate, seed }: GateOptions,
  progress: (sentence: string) => void,
): Promise<ScenarioOutcome[]> {
  const outcomes: ScenarioOutcome[] = [];
  for (const name of names) {
    const words = ["--scenario", name, "--seed", seed, "--running", running, "--candidate", candidate];
    try {
      const { invariants } = await played(player, words);
      outcomes.push({ checks: invariants.map((check) => ({ ...check, scenario: name })) });
    } catch (failure) {
      if (!isNamedFailure(failure)) throw failure;
      outcomes.push({ checks: endedBy(failure).checks.map((check) => ({ ...check, scenario: name })) });
    }
    progress(`scenario ${name} is played on process devices`);
  }
  return outcomes;
}

async function played(player: string, words: readonly string[]): Promise<z.infer<typeof Line>> {
  const child = spawn(process.execPath, [player, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (err += bytes.toString()));
  const code = await new Promise<number | null>((closed) => child.once("close", closed));
  const last = out.trimEnd().split("\n").at(-1) ?? "";
  if (last.startsWith("{")) return Line.parse(JSON.parse(last));
  throw new ProcessScenarioFailed(
    `${player} ended with ${code ?? child.signalCode ?? "nothing"}; its last lines: ${err.trimEnd().split("\n").slice(-LINES_TOLD).join(" | ")}`,
  );
}
