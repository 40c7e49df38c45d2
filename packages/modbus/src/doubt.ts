import type { ReadRequest } from "./request.ts";
import { hasCrc } from "./rtu.ts";

const DIAGNOSTIC = 8;
/** Sub-function 0: return the query's data. */
const ECHO_BYTES = 8;
const EXCEPTION_BYTES = 5;

/**
 * Whether an old answer of one slave may still be on its way. It is settled by function 8, whose echo brings back a number
 * of ours; a slave that refuses function 8 has answered all before it when as many refusals came as echoes were asked.
 */
export class Doubt {
  #open = true;
  #number = 0;
  #asked = 0;
  #echoes = false;
  #sinceMs: number;
  #settledInLast = 0;
  #unanswered: ReadRequest | undefined;

  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
  }

  get isOpen(): boolean {
    return this.#open;
  }
  /** When the last question went that nobody answered, echoes included. */
  get sinceMs(): number {
    return this.#sinceMs;
  }
  /** The slave is known to send echoes: it may be asked again and again, and nothing else ends a doubt. */
  get needsEcho(): boolean {
    return this.#echoes;
  }
  /** An echo is asked for that has not come. */
  get isAsked(): boolean {
    return this.#asked > 0;
  }

  /** The request that nobody answered; none after a link was opened. */
  get unanswered(): ReadRequest | undefined {
    return this.#unanswered;
  }

  begin(unanswered: ReadRequest, sinceMs: number): void {
    this.#open = true;
    this.#unanswered = unanswered;
    this.#sinceMs = sinceMs;
  }
  end(): void {
    this.#open = false;
    this.#unanswered = undefined;
    this.#asked = 0;
  }

  /** The next question, with a number of its own. */
  echo(nowMs: number): Uint8Array {
    this.#sinceMs = nowMs;
    this.#number = (this.#number + 1) % 0x10000;
    this.#asked++;
    this.#settledInLast = 0;
    return Uint8Array.of(DIAGNOSTIC, 0, 0, this.#number >> 8, this.#number & 0xff);
  }

  /** Looks through what came since the last question. True where it settled the matter. */
  heard(unit: number, heard: Uint8Array): boolean {
    let refusals = 0;
    for (let at = 0; at + EXCEPTION_BYTES <= heard.length; at++) {
      if (heard[at] !== unit) continue;
      if (heard[at + 1] === (DIAGNOSTIC | 0x80) && hasCrc(heard, at, at + EXCEPTION_BYTES)) refusals++;
      if (heard[at + 1] !== DIAGNOSTIC || at + ECHO_BYTES > heard.length) continue;
      if (!hasCrc(heard, at, at + ECHO_BYTES)) continue;
      this.#echoes = true;
      if ((heard[at + 4] ?? 0) * 256 + (heard[at + 5] ?? 0) !== this.#number) continue;
      this.end();
      return true;
    }
    this.#asked -= Math.max(0, refusals - this.#settledInLast);
    this.#settledInLast = refusals;
    if (refusals > 0 && this.#asked <= 0) this.end();
    return !this.#open;
  }
}
