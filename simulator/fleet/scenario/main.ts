import { writeFileSync } from "node:fs";
import { CoalmineError } from "@coalmine/runtime";
import type { RegionPart } from "../driven/region.ts";
import { Course } from "../rehearsal/course.ts";
import { readRelease } from "../release/release-folder.ts";
import { reversioned } from "../release/reversioned.ts";
import { digestOf } from "./event-log.ts";
import { outcomeOf } from "./outcome.ts";
import { play } from "./play.ts";
import { readFaults, readScenario } from "./read-scenario.ts";
import { type FromRun, type Outcome, ToRun } from "./run-wire.ts";

/**
 * One run of one scenario in a process of its own: imported versions are never freed, and whoever watches can end it
 * when it never ends by itself. `simulator/fleet/main.ts simulate` is what a person calls.
 */
const send = (message: FromRun): Promise<void> =>
  new Promise((sent) => {
    if (process.send === undefined) sent();
    else process.send(message, () => sent());
  });

async function main(): Promise<void> {
  const told = ToRun.parse(JSON.parse(process.argv[2] ?? ""));
  try {
    const written = readScenario(told.scenario);
    const scenario =
      told.faults === undefined ? written : { ...written, faults: [...readFaults(told.faults)] };
    const running = readRelease(told.running);
    const candidate = told.candidate === undefined ? reversioned(running) : readRelease(told.candidate);
    let course: Course | undefined;
    const turns = turnsOf(told.part);
    const outcomes: Outcome[] = [];
    for (const part of turns) {
      const { log, ...outcome } = await play(scenario, {
        ...told,
        part,
        running,
        candidate,
        watch: (of) => {
          if (told.course !== undefined) course = new Course(of, { running, candidate });
        },
        progress: (sentence) => {
          const turn = turns.length === 1 ? "" : `turn ${outcomes.length + 1} of ${turns.length}: `;
          void send({ kind: "progress", sentence: turn + sentence });
        },
        stands: (atMs) => void send({ kind: "stands", atMs }),
      });
      outcomes.push({
        ...outcome,
        checks: [...outcome.checks],
        faults: [...outcome.faults],
        events: log.length,
        digest: digestOf(log),
        ...(part === undefined ? {} : { log: [...log] }),
      });
    }
    if (told.course !== undefined) writeFileSync(told.course, JSON.stringify(course?.told()));
    await send({ kind: "ended", outcome: outcomeOf(outcomes) });
  } catch (failure) {
    if (!(failure instanceof CoalmineError)) throw failure;
    await send({ kind: "failed", code: failure.code, message: failure.message });
  }
}

/** One after the other: what is left of one turn is let go before the next, and its code is warm. */
function turnsOf(part: ToRun["part"]): readonly (RegionPart | undefined)[] {
  if (part === undefined) return [undefined];
  const { index, of, turns } = part;
  return Array.from({ length: turns }, (_, turn) => ({ index: index + turn * of, of: of * turns }));
}

// Whoever watches is gone: nobody would hear of the rest, and it holds a processor for as long as it lasts.
process.once("disconnect", () => process.exit(1));
main().then(
  () => process.exit(0),
  (failure: unknown) => {
    process.stderr.write(
      `${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}\n`,
    );
    process.exit(1);
  },
);
