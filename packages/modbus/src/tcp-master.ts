import type { Clock, Link } from "@coalmine/ports";
import type { Manners, ModbusMaster, Outcome } from "./master.ts";
import { MbapDecoder, mbapFrame, type MbapFrame } from "./mbap.ts";
import { readReply, requestPdu, type ReadRequest, type Reply } from "./request.ts";
import { Turns } from "./turns.ts";

/** Modbus TCP. Its frames carry the number of their request, so a late answer is known by it, however late. */
export class TcpMaster implements ModbusMaster {
  readonly #clock: Clock;
  readonly #manners: Manners;
  readonly #turns: Turns;
  #transaction = 0;
  #answer: MbapFrame | undefined;
  #idleSinceMs: number;
  readonly counts = { requests: 0, lateReplies: 0 };

  constructor(link: Link, clock: Clock, manners: Manners) {
    this.#clock = clock;
    this.#manners = manners;
    const decoder = new MbapDecoder((frame) => {
      if (frame.transaction === this.#transaction) this.#answer = frame;
      else this.counts.lateReplies++;
    });
    this.#turns = new Turns(link, clock, (bytes) => decoder.push(bytes));
    this.#idleSinceMs = this.#turns.openedMs;
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
      await this.#turns.pauseUntil(this.#idleSinceMs + this.#manners.pauseBetweenRequestsMs);
      if (this.#turns.ended !== undefined) return { kind: "no-reply", why: "closed" };
      this.#transaction = (this.#transaction + 1) % 0x10000;
      this.#answer = undefined;
      this.counts.requests++;
      const askedMs = this.#clock.monotonicMs();
      await this.#turns.write(mbapFrame(this.#transaction, request.unit, requestPdu(request)));
      await this.#turns.until(() => this.#answer !== undefined, this.#manners.timeoutMs);
      const heardMs = this.#clock.monotonicMs();
      this.#idleSinceMs = heardMs;
      const reply = this.#reply(request);
      if (reply !== undefined) return { ...reply, askedMs, heardMs };
      if (this.#turns.ended !== undefined) return { kind: "no-reply", why: "closed" };
      return { kind: "no-reply", why: this.#answer === undefined ? "silent" : "damaged" };
    });
  }

  #reply(request: ReadRequest): Reply | undefined {
    const answer = this.#answer;
    return answer === undefined || answer.unit !== request.unit ? undefined : readReply(request, answer.pdu);
  }
}
