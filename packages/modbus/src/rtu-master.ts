import type { Clock, Link } from "@coalmine/ports";
import { Doubt } from "./doubt.ts";
import type { Manners, ModbusMaster, Outcome } from "./master.ts";
import { requestPdu, type ReadRequest, type Reply } from "./request.ts";
import { findReply, RTU_BYTES_MAX, rtuFrame } from "./rtu.ts";
import { Turns } from "./turns.ts";

/** Beyond what one answer takes, for noise before it; older bytes give way. */
const HEARD_BYTES_MAX = 4 * RTU_BYTES_MAX;

/**
 * Modbus RTU. An answer carries no number, so after a request that got none, a slave is in doubt: its answer may still
 * come, and would pass for that of the next request. Nothing but a diagnostic echo is asked of it then, until that has come
 * back: a slave answers in order, so nothing older is on its way any more.
 */
export class RtuMaster implements ModbusMaster {
  readonly #clock: Clock;
  readonly #manners: Manners;
  readonly #turns: Turns;
  readonly #doubts = new Map<number, Doubt>();
  #heard = new Uint8Array(0);
  #lastByteMs: number;
  readonly counts = { requests: 0, lateReplies: 0 };

  constructor(link: Link, clock: Clock, manners: Manners) {
    this.#clock = clock;
    this.#manners = manners;
    this.#turns = new Turns(link, clock, (bytes) => this.#receive(bytes));
    this.#lastByteMs = this.#turns.openedMs;
  }

  get ended(): string | undefined {
    return this.#turns.ended;
  }
  onEnd(tell: () => void): void {
    this.#turns.onEnd(tell);
  }
  close(why?: string): Promise<void> {
    return this.#turns.close(why);
  }

  read(request: ReadRequest): Promise<Outcome> {
    return this.#turns.take(async () => {
      await this.#turns.pauseUntil(this.#turns.openedMs + this.#manners.pauseAfterConnectMs);
      const doubt = this.#doubtOf(request.unit);
      if (!(await this.#resolve(request.unit, doubt)))
        return { kind: "no-reply", why: this.#turns.ended === undefined ? "silent" : "closed" };
      await this.#silence();
      if (this.#turns.ended !== undefined) return { kind: "no-reply", why: "closed" };
      this.counts.requests++;
      const askedMs = this.#clock.monotonicMs();
      let found: Reply | undefined;
      await this.#send(rtuFrame(request.unit, requestPdu(request)));
      await this.#turns.until(() => {
        found = findReply(request, this.#heard);
        return found !== undefined;
      }, this.#manners.timeoutMs);
      const heardMs = this.#clock.monotonicMs();
      if (found !== undefined) return { ...found, askedMs, heardMs };
      doubt.begin(request, askedMs);
      if (this.#turns.ended !== undefined) return { kind: "no-reply", why: "closed" };
      return { kind: "no-reply", why: this.#heard.length > 0 ? "damaged" : "silent" };
    });
  }

  /** Makes sure that no older answer of this slave can come; false when that is not known yet. */
  async #resolve(unit: number, doubt: Doubt): Promise<boolean> {
    if (!doubt.isOpen) return true;
    const { unanswered } = doubt;
    const settled = () => doubt.heard(unit, this.#heard);
    const countLate = () => {
      if (unanswered !== undefined && findReply(unanswered, this.#heard) !== undefined)
        this.counts.lateReplies++;
    };
    await this.#silence();
    countLate();
    if (settled()) return true;
    if (this.#manners.diagnostics && (doubt.needsEcho || !doubt.isAsked)) {
      await this.#send(rtuFrame(unit, doubt.echo(this.#clock.monotonicMs())));
      await this.#turns.until(settled, this.#manners.timeoutMs);
      countLate();
      if (!doubt.isOpen) return true;
    }
    if (doubt.needsEcho || this.#turns.ended !== undefined) return false;
    // A slave that sends no echoes: only time tells. Others on the line go on meanwhile.
    const overMs = doubt.sinceMs + this.#manners.lateReplyMaxMs;
    if (unanswered === undefined) await this.#turns.pauseUntil(overMs);
    if (this.#clock.monotonicMs() < overMs) return false;
    doubt.end();
    return this.#turns.ended === undefined;
  }

  get #gapMs(): number {
    return Math.max(this.#manners.silenceMs, this.#manners.pauseBetweenRequestsMs);
  }

  /** Waits until the line has been quiet for long enough: whoever still speaks is let finish. */
  async #silence(): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + this.#manners.timeoutMs;
    while (this.#turns.ended === undefined) {
      const quietAtMs = this.#lastByteMs + this.#gapMs;
      const nowMs = this.#clock.monotonicMs();
      // Endless noise must not hold a request back for ever.
      if (nowMs >= quietAtMs || nowMs >= deadlineMs) break;
      await this.#turns.pauseUntil(Math.min(quietAtMs, deadlineMs));
    }
  }

  async #send(frame: Uint8Array): Promise<void> {
    this.#heard = new Uint8Array(0);
    await this.#turns.write(frame);
    this.#lastByteMs = this.#clock.monotonicMs();
  }

  #receive(bytes: Uint8Array): void {
    this.#lastByteMs = this.#clock.monotonicMs();
    const all = new Uint8Array(this.#heard.length + bytes.length);
    all.set(this.#heard);
    all.set(bytes, this.#heard.length);
    this.#heard = all.slice(Math.max(0, all.length - HEARD_BYTES_MAX));
  }

  #doubtOf(unit: number): Doubt {
    const known = this.#doubts.get(unit);
    if (known !== undefined) return known;
    // A link that was just opened may bring what was asked before it.
    const doubt = new Doubt(this.#clock.monotonicMs());
    this.#doubts.set(unit, doubt);
    return doubt;
  }
}
