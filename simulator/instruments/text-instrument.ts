import { nmeaChecksum } from "@coalmine/instrument";
import type { Clock, Link, Timer } from "@coalmine/ports";

/** Of what was sent at least so much is remembered: more than any test looks at. */
const SENT_KEPT = 50_000;

/** Sends a line of text each period whether or not anybody listens, or when it is asked, as weather stations and balances do. */
export class TextInstrument {
  readonly id: string;
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #content: (count: number) => string;
  readonly #answer: (question: string) => string | undefined;
  #link: Link | undefined;
  #timer: Timer | undefined;
  #nextMs = 0;
  /** The last lines sent down an open line, and when, by the simulation's clock. */
  readonly sent: { readonly count: number; readonly atMs: number }[] = [];
  #count = 0;

  constructor(options: {
    readonly id: string;
    readonly clock: Clock;
    readonly periodMs: number;
    readonly content: (count: number) => string;
    /** What it says to a question, which comes in one piece; nothing unless stated. */
    readonly answer?: (question: string) => string | undefined;
  }) {
    this.id = options.id;
    this.#clock = options.clock;
    this.#periodMs = options.periodMs;
    this.#content = options.content;
    this.#answer = options.answer ?? (() => undefined);
  }

  attach(link: Link): void {
    this.#link = link;
    link.onData((bytes) => {
      const answer = this.#answer(new TextDecoder().decode(bytes));
      if (answer !== undefined)
        void link.write(new TextEncoder().encode(`${answer}\r\n`)).catch(() => undefined);
    });
    link.onClose(() => {
      if (this.#link === link) this.#link = undefined;
    });
  }

  start(): void {
    this.#nextMs = this.#clock.monotonicMs();
    this.#sendLater();
  }
  stop(): void {
    this.#timer?.cancel();
  }

  /** At its time whenever the last one was: a timer that came late makes the rate no slower. */
  #sendLater(): void {
    this.#nextMs += this.#periodMs;
    this.#timer = this.#clock.timer(Math.max(0, this.#nextMs - this.#clock.monotonicMs()), () => {
      this.#send();
      this.#sendLater();
    });
  }

  #send(): void {
    const count = this.#count++;
    const link = this.#link;
    if (link === undefined) return;
    this.sent.push({ count, atMs: this.#clock.now() });
    if (this.sent.length > 2 * SENT_KEPT) this.sent.splice(0, SENT_KEPT);
    void link.write(new TextEncoder().encode(`${this.#content(count)}\r\n`)).catch(() => undefined);
  }
}

/** An NMEA 0183 sentence with its checksum. */
export function nmea(content: string): string {
  return `$${content}*${nmeaChecksum(content).toString(16).toUpperCase().padStart(2, "0")}`;
}
