import type { Clock } from "@coalmine/ports";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Target } from "../target.ts";

/** The clocks of the targets. Waiting is a port: on the wall it sleeps, in a driven region it runs the region. */
export interface TargetTime {
  now(target: Target): Promise<number>;
  /** Resolves at that time or before it, where there is reason to look again; gives the target's time. */
  waitUntil(target: Target, timeMs: number, signal: AbortSignal): Promise<number>;
}

/** Longer runs are asked for in parts, so that each answer comes soon and an abort is heard. */
const RUN_MS_MAX = 3_600_000;
const STATUS_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 280_000;
/** A connection may fail on a machine that has too much to do; both commands may be given again. */
const TRIES = 3;
const TRY_AGAIN_MS = 2000;

const Answer = z.object({ now: z.number() });

export class ControlError extends CoalmineError {
  readonly code = "ERR_CONTROL_UNREACHABLE";
}

export interface TargetTimeOptions {
  readonly clock: Clock;
  /** Target name → the token of its control API. */
  readonly controlTokens: Readonly<Record<string, string>>;
  /** How long to sleep on the wall at most before looking again. */
  readonly tickMs: number;
}

export function targetTime({ clock, controlTokens, tickMs }: TargetTimeOptions): TargetTime {
  async function control(
    target: Target,
    command: string,
    body: object,
    signal: AbortSignal,
  ): Promise<number> {
    const url = `${target.controlUrl ?? ""}/${command}`;
    const headers = {
      authorization: `Bearer ${controlTokens[target.name] ?? ""}`,
      "content-type": "application/json",
    };
    const ask = async (): Promise<Response> => {
      const post = { method: "POST", headers, body: JSON.stringify(body), signal };
      if (command !== "status") return fetch(url, post);
      const response = await fetch(url, { headers, signal });
      // A door may take commands by POST alone.
      return response.status === 404 || response.status === 405 ? fetch(url, post) : response;
    };
    const response = await severalTries(ask, target, url, signal);
    const text = await response.text();
    if (!response.ok)
      throw new ControlError(
        `the control API of ${target.name} refused ${command} with ${response.status}: ${text.slice(0, 200)}; check COALMINE_CONTROL_TOKEN`,
      );
    const answer = Answer.safeParse(JSON.parse(text));
    if (!answer.success)
      throw new ControlError(
        `the control API of ${target.name} answered ${command} without its time: ${text.slice(0, 200)}`,
      );
    return answer.data.now;
  }
  async function severalTries(
    ask: () => Promise<Response>,
    target: Target,
    url: string,
    signal: AbortSignal,
  ): Promise<Response> {
    for (let tries = 1; ; tries++)
      try {
        return await ask();
      } catch (failure) {
        // What fetch throws of a connection says only that it failed; why stands in its cause.
        const why = failure instanceof Error && failure.cause !== undefined ? failure.cause : failure;
        if (tries === TRIES || signal.aborted)
          throw new ControlError(
            `the control API of ${target.name} at ${url} does not answer after ${tries} tries (${messageOf(why)}); is its cloud running?`,
            { cause: failure },
          );
        await clock.sleep(TRY_AGAIN_MS, signal);
      }
  }
  return {
    now: (target) =>
      target.controlUrl === undefined
        ? Promise.resolve(clock.now())
        : control(target, "status", {}, AbortSignal.timeout(STATUS_TIMEOUT_MS)),
    waitUntil: async (target, timeMs, signal) => {
      if (target.controlUrl === undefined) {
        await clock.sleep(Math.min(tickMs, Math.max(0, timeMs - clock.now())), signal);
        return clock.now();
      }
      let now = await control(target, "status", {}, AbortSignal.timeout(STATUS_TIMEOUT_MS));
      while (now < timeMs) {
        const until = Math.min(timeMs, now + RUN_MS_MAX);
        const timeout = AbortSignal.any([signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]);
        const after = await control(target, "run-until", { time: until }, timeout);
        if (after < until)
          throw new ControlError(
            `the clock of ${target.name} stands at ${after} though it was run until ${until}; its log says why`,
          );
        now = after;
      }
      return now;
    },
  };
}
