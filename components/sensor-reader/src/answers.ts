import type { FromInstrument } from "@coalmine/instrument";
import type { Clock } from "@coalmine/ports";
import { Waiting } from "@coalmine/runtime";

type Woken = "timeout" | "restarted" | "ended";

/** What a session waits for, one thing at a time: the answer to a request, a restart of the instrument, the link's end. */
export class Answers {
  readonly #clock: Clock;
  #request = -1;
  #answer: FromInstrument | undefined;
  readonly #waiting: Waiting;
  #restarted = false;
  #ended: string | undefined;
  heardAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#waiting = new Waiting(clock);
  }

  /** Why the link ended, once it has. */
  get ended(): string | undefined {
    return this.#ended;
  }

  heard(request: number, message: FromInstrument): void {
    if (request !== this.#request) return;
    this.heardAtMs = this.#clock.monotonicMs();
    this.#answer = message;
    this.#waiting.look();
  }
  /** From here on a restart is a new one. */
  forgetRestart(): void {
    this.#restarted = false;
  }
  restarted(): void {
    this.#restarted = true;
    this.#waiting.look();
  }
  end(why: string): void {
    this.#ended ??= why;
    this.#waiting.look();
  }

  /** The answer to `request`; nothing when it does not come in time or the link ends. */
  async to(request: number, patienceMs: number): Promise<FromInstrument | undefined> {
    this.#request = request;
    this.#answer = undefined;
    await this.#waiting.until(() => this.#answer !== undefined || this.#ended !== undefined, patienceMs);
    this.#request = -1;
    return this.#answer;
  }

  /** Waits while nothing needs to be done. */
  async quiet(durationMs: number): Promise<Woken> {
    await this.#waiting.until(() => this.#restarted || this.#ended !== undefined, durationMs);
    return this.#ended !== undefined ? "ended" : this.#restarted ? "restarted" : "timeout";
  }
}
