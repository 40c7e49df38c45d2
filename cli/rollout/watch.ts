import { CoalmineError } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import type { Api } from "../../api/api.ts";
import { describeRollout, type RolloutDescription } from "../../api/describe.ts";
import { beginsText } from "../../api/why.ts";
import { answer } from "../answers/answers.ts";
import { asking } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { keepAsking } from "../command/keep-asking.ts";
import { paint } from "../command/paint.ts";
import { duration, positiveNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import { onStopAsked } from "../stop-asked.ts";
import type { Places } from "../system/state.ts";
import { latest } from "./latest.ts";

/** How one ends of which no plan was made. */
const endedAtOnce = new Set(["nothingToDo", "refused", "installedFirst"]);
const outcomeExits: Readonly<Record<string, number>> = {
  promoted: exitCodes.done,
  nothingToDo: exitCodes.done,
  installedFirst: exitCodes.done,
  halted: exitCodes.halted,
  inconclusive: exitCodes.notEnoughEvidence,
  superseded: exitCodes.conflict,
};

/** Policies soak for days. */
const TIMEOUT_DAYS_MAX = 90;

interface WatchWords {
  readonly every: number;
  readonly timeout?: number;
  readonly json: boolean;
}

export class WatchTimedOut extends CoalmineError {
  readonly code = "ERR_WATCH_TIMED_OUT";
}

export function addWatch(rollout: CliCommand, at: Places): void {
  rollout
    .command("watch")
    .argument("[rollout]", "its name, or the beginning of it; the latest without one")
    .description(
      "follow a rollout until it ends, a line for each thing that changes; exits 0 where it was promoted, 3 halted, 4 inconclusive, 7 superseded, 1 failed",
    )
    .option("--every <seconds>", "how often to look", positiveNumber, 2)
    .option(
      "--timeout <duration>",
      "exit with 5 when it has not ended by then, such as 30m or 2d",
      duration(TIMEOUT_DAYS_MAX),
    )
    .answers("rollout-watch", "lines")
    .example("rollout watch")
    .example("rollout watch 1f3a9c2b --timeout 2h --json")
    .action((name: string | undefined, { every, timeout, json }: WatchWords) =>
      asking(at, async (api) => {
        const stop = new AbortController();
        onStopAsked(() => stop.abort(new Error("interrupted")));
        const rolloutName = name ?? (await latest(api));
        try {
          const outcome = await watch(api, rolloutName, {
            everyMs: every * 1000,
            timeoutMs: timeout,
            asking: {
              clock: systemClock,
              random: systemRandom,
              signal: stop.signal,
              say: (sentence) => console.error(sentence),
            },
            tell: (seen, sentences) => {
              const { phase, outcome: ended, state } = seen;
              if (json)
                answer("rollout-watch", { rollout: seen.rollout, phase, outcome: ended, state, sentences });
              else for (const sentence of sentences) console.log(`${paint("bold", wallTime())}  ${sentence}`);
            },
          });
          process.exitCode = outcomeExits[outcome] ?? exitCodes.unexpected;
        } catch (failure) {
          if (failure instanceof WatchTimedOut || !stop.signal.aborted) throw failure;
          console.error(`the rollout goes on; \`coalmine rollout watch ${rolloutName}\` follows it again`);
          process.exitCode = exitCodes.interrupted;
        }
      }),
    );
}

export interface Watching {
  readonly everyMs: number;
  readonly timeoutMs: number | undefined;
  readonly asking: Parameters<typeof keepAsking>[1];
  readonly tell: (seen: RolloutDescription, sentences: readonly string[]) => void;
}

/** Tells what changes until the rollout ends; gives its outcome. @throws WatchTimedOut */
export async function watch(api: Api, rollout: string, watching: Watching): Promise<string> {
  const { clock, signal } = watching.asking;
  const began = clock.monotonicMs();
  let told: ReadonlySet<string> = new Set();
  for (;;) {
    const seen = await keepAsking(() => describeRollout(api, { rollout }), watching.asking);
    const sentences = sentencesOf(seen);
    const fresh = sentences.filter((sentence) => !told.has(sentence));
    if (fresh.length > 0) watching.tell(seen, fresh);
    told = new Set(sentences);
    if (seen.phase === "done" || endedAtOnce.has(seen.phase)) return seen.outcome ?? seen.phase;
    if (watching.timeoutMs !== undefined && clock.monotonicMs() - began >= watching.timeoutMs)
      throw new WatchTimedOut(
        `${seen.rollout} is still ${seen.phase}; it goes on by itself: \`coalmine why ${seen.rollout}\` says what it waits for`,
      );
    await clock.sleep(watching.everyMs, signal);
  }
}

/** What holds of it now, without what changes with every look: the same sentence means that nothing happened. */
function sentencesOf({
  rollout,
  phase,
  outcome,
  because,
  targets,
  promotedBy,
  next,
}: RolloutDescription): string[] {
  return [
    `${rollout} is ${phase}${outcome === undefined ? "" : ` (${outcome})`}${because === undefined ? "" : `: ${because}`}`,
    ...(promotedBy === undefined ? [] : [`promoted by ${promotedBy}`]),
    ...targets.flatMap(({ target, devices, byVersion, verdict, watch: waves, deadline, begins }) => [
      `${target}: ${devices.exposed} of ${devices.all} devices may have it, ${devices.canary} of them as the canary${Object.entries(
        byVersion,
      )
        .map(([set, count]) => `, ${count} report ${set}`)
        .join("")}`,
      ...(verdict === undefined ? [] : [`${target}: ${verdict.verdict}: ${verdict.because}`]),
      ...(waves === undefined ? [] : [`${target}, its waves: ${waves.verdict}: ${waves.because}`]),
      ...(begins === undefined
        ? []
        : [`${target} ${beginsText({ ...begins, inMs: 0 }).replace(/for another .*?, /, "")}`]),
      ...(deadline === undefined
        ? []
        : [
            `${target}: deadline "${deadline.name}" at ${new Date(deadline.atMs).toISOString()} on its clock, then ${deadline.afterwards}`,
          ]),
    ]),
    next,
  ];
}

function wallTime(): string {
  return new Date().toISOString().slice(11, 19);
}
