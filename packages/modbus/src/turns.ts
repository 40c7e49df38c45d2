import type { Clock, Link } from "@coalmine/ports";
import { messageOf, Waiting } from "@coalmine/runtime";

/** A request is a few bytes; a line that does not take them is held by something else. */
const WRITE_MS_MAX = 5000;

/** A link whose requests go one after the other, and what is waited for on it. */
export class Turns {
  readonly #clock: Clock;
  readonly #link: Link;
  readonly openedMs: number;
  #last: Promise<unknown> = Promise.resolve();
  readonly #waiting: Waiting;
  #ended: string | undefined;
  #tellEnd: () => void = () => undefined;

  constructor(link: Link, clock: Clock, receive: (bytes: Uint8Array) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#waiting = new Waiting(clock);
    this.openedMs = clock.monotonicMs();
    link.onData((bytes) => {
      receive(bytes);
      this.#waiting.look();
    });
    link.onClose((why) => this.end(why.by === "us" ? "closed by the reader" : why.reason));
  }

  get ended(): string | undefined {
    return this.#ended;
  }
  onEnd(tell: () => void): void {
    this.#tellEnd = tell;
    if (this.#ended !== undefined) tell();
  }
  end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#waiting.look();
    this.#tellEnd();
  }

  /** Runs `act` when everything before it is done. */
  take<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** When the bytes are out, or the link has ended: a line that takes none for so long is given up. */
  async write(bytes: Uint8Array): Promise<void> {
    let written = false;
    void this.#link.write(bytes).then(
      () => {
        written = true;
        this.#waiting.look();
      },
      (failure: unknown) => this.end(messageOf(failure)),
    );
    await this.until(() => written, WRITE_MS_MAX);
    if (!written) this.end(`the line took no bytes for ${WRITE_MS_MAX} ms`);
  }

  /** Until `enough` (asked whenever bytes came), the link's end, or so long. */
  until(enough: () => boolean, patienceMs: number): Promise<void> {
    return this.#waiting.until(() => this.#ended !== undefined || enough(), patienceMs);
  }

  async pauseUntil(atMs: number): Promise<void> {
    const restMs = atMs - this.#clock.monotonicMs();
    if (restMs > 0) await this.until(() => false, restMs);
  }

  async close(why = "closed by the reader"): Promise<void> {
    this.end(why);
    await this.#link.close().catch(() => undefined);
  }
}
