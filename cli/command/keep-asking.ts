import type { Clock, Random } from "@coalmine/ports";
import { CoalmineError, fullJitter, messageOf } from "@coalmine/runtime";
import { sdkFailure } from "./sdk-failure.ts";

export class LinkLost extends CoalmineError {
  readonly code = "ERR_LINK_LOST";
}

export interface Asking {
  readonly clock: Pick<Clock, "sleep" | "monotonicMs">;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Hears what a person watching should know; never on standard output. */
  readonly say: (sentence: string) => void;
}

/** So long nothing answers before it is given up. */
export const SILENCE_MS_MAX = 15 * 60_000;
const TRY_AGAIN = { firstMs: 1000, maxMs: 30_000 } as const;

/**
 * Asks again while the link is lost, and says so once; what cannot get better by asking again is thrown at once.
 * `ask` goes on from where it was. @throws LinkLost after `SILENCE_MS_MAX` without an answer
 */
export async function keepAsking<Answer>(
  ask: () => Promise<Answer>,
  { clock, random, signal, say }: Asking,
): Promise<Answer> {
  const waits = fullJitter(TRY_AGAIN, random);
  let lostAtMs: number | undefined;
  for (;;)
    try {
      const answer = await ask();
      if (lostAtMs !== undefined) say("the link is back, and nothing was missed");
      return answer;
    } catch (failure) {
      if (!isPassing(failure)) throw failure;
      const nowMs = clock.monotonicMs();
      if (lostAtMs === undefined)
        say(`the link is lost (${messageOf(failure)}); this goes on from here when it is back`);
      lostAtMs ??= nowMs;
      if (nowMs - lostAtMs > SILENCE_MS_MAX)
        throw new LinkLost(
          `nothing has answered for ${SILENCE_MS_MAX / 60_000} minutes (${messageOf(failure)}); look at the link, and start this again`,
          { cause: failure },
        );
      await clock.sleep(waits.next().value, signal);
    }
}

const passingNames = new Set([
  "ThrottlingException",
  "ServiceUnavailableException",
  "InternalFailure",
  "InternalServerError",
  "TimeoutError",
]);
const passingCodes = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE"]);

/** Of the link or of the service's own troubles; anything else is the same when it is asked again. */
function isPassing(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false;
  if (failure instanceof AggregateError) return failure.errors.some(isPassing);
  if (failure instanceof CoalmineError) return failure.code === "ERR_CONTROL_UNREACHABLE";
  const { code, status } = sdkFailure(failure);
  return (
    passingNames.has(failure.name) ||
    passingCodes.has(code ?? "") ||
    (status ?? 0) >= 500 ||
    isPassing(failure.cause)
  );
}
