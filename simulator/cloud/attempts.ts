import type { Clock, Log, LogFields } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";

interface AttemptsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** What is warned of where something does not arrive. */
  readonly lost: string;
  readonly attemptsMax: number;
  /** Between two tries. */
  readonly retryMs: number;
  /** Beyond it nothing is begun. */
  readonly underWayMax: number;
}

/** Deliveries that nobody waits for: each is tried a few times, so many at once at most, and what is lost is warned of. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #stopped = new AbortController();
  #underWay = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Ends what waits for its next try. */
  stop(): void {
    this.#stopped.abort();
  }

  begin(what: LogFields, deliver: () => Promise<unknown>): void {
    const { log, lost, underWayMax } = this.#options;
    if (this.#underWay >= underWayMax) {
      log.warn(`${lost} since too many are under way`, what);
      return;
    }
    this.#underWay++;
    void this.#tried(what, deliver).finally(() => {
      this.#underWay--;
    });
  }

  async #tried(what: LogFields, deliver: () => Promise<unknown>): Promise<void> {
    const { clock, log, lost, attemptsMax, retryMs } = this.#options;
    for (let attempt = 1; ; attempt++)
      try {
        await deliver();
        return;
      } catch (failure) {
        if (attempt >= attemptsMax || this.#stopped.signal.aborted) {
          log.warn(lost, { ...what, cause: messageOf(failure) });
          return;
        }
        await clock.sleep(retryMs, this.#stopped.signal).catch(() => undefined);
      }
  }
}
