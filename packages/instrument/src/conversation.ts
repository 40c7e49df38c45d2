import type { Clock, Link, LinkClosed, Links, LinkTarget } from "@coalmine/ports";
import { messageOf, Waiting } from "@coalmine/runtime";
import { InstrumentConnection } from "./connection.ts";
import { framings } from "./framing.ts";
import type { FromHost, FromInstrument, Reading } from "./message.ts";
import { PortGone } from "./self-test/heard-port.ts";

const ASK_TIMES_MAX = 3;
const ANSWER_WITHIN_MS = 1000;
/** Generous: the instrument takes a reading in about 50 ms, and a curve has some twenty. */
const CURVE_WITHIN_MS = 15_000;

type Hello = Extract<FromInstrument, { kind: "hello" }>;
type EmptyReading = Extract<FromInstrument, { kind: "self-test" }>;

/** A talk with one instrument for a test or a calibration. All that waits throws `PortGone` when the link went. */
export class Conversation {
  readonly #connection: InstrumentConnection;
  readonly #waiting: Waiting;
  readonly emptyReadings: EmptyReading[] = [];
  #hello: Hello | undefined;
  #curve: Reading[] = [];
  #request = 0;
  #ended: string | undefined;

  private constructor(link: Link, clock: Clock, framing: keyof typeof framings) {
    this.#waiting = new Waiting(clock);
    this.#connection = new InstrumentConnection(
      link,
      {
        message: (message) => this.#heard(message),
        bootText: () => undefined,
        refused: () => undefined,
        closed: (why) => this.#end(why),
      },
      framings[framing],
    );
  }

  /** Rejects with a `LinkError`. */
  static async open(
    { links, clock }: { readonly links: Links; readonly clock: Clock },
    target: LinkTarget,
    framing: keyof typeof framings,
  ): Promise<Conversation> {
    return new Conversation(await links.open(target), clock, framing);
  }

  get bytesReceived(): number {
    return this.#connection.bytesReceived;
  }

  /** Undefined where nobody says who it is. */
  async who(): Promise<Hello | undefined> {
    for (let asked = 0; asked < ASK_TIMES_MAX && this.#hello === undefined; asked++) {
      await this.send({ kind: "who", request: ++this.#request });
      await this.until(() => this.#hello !== undefined, ANSWER_WITHIN_MS);
    }
    return this.#hello;
  }

  /** More readings of the empty channel are in `emptyReadings`, or the patience is over. */
  async readEmpty(count: number, patienceMs: number): Promise<void> {
    const enough = this.emptyReadings.length + count;
    await this.send({ kind: "self-test-request", request: ++this.#request, count });
    await this.until(() => this.emptyReadings.length >= enough, patienceMs);
  }

  /** One flow curve of what is in the channel; undefined where it did not come whole. */
  async measureCurve(): Promise<readonly Reading[] | undefined> {
    this.#curve = [];
    const isWhole = () => this.#curve.length > 0 && this.#curve.length === this.#curve[0]?.points;
    await this.send({ kind: "measure-request", request: ++this.#request });
    await this.until(isWhole, CURVE_WITHIN_MS);
    return isWhole() ? this.#curve : undefined;
  }

  async until(enough: () => boolean, patienceMs: number): Promise<void> {
    if (patienceMs > 0) await this.#waiting.until(() => this.#ended !== undefined || enough(), patienceMs);
    if (this.#ended !== undefined) throw new PortGone(this.#ended);
  }

  async send(message: FromHost): Promise<void> {
    try {
      await this.#connection.send(message);
    } catch (failure) {
      throw new PortGone(messageOf(failure));
    }
  }

  async close(): Promise<void> {
    // A link that went by itself may refuse to close; there is nothing left to do with it.
    await this.#connection.close().catch(() => undefined);
  }

  #heard(message: FromInstrument): void {
    if (message.kind === "hello") this.#hello = message;
    if (message.kind === "self-test") this.emptyReadings.push(message);
    if (message.kind === "measured" && message.request === this.#request) this.#curve.push(message.reading);
    this.#waiting.look();
  }

  #end(why: LinkClosed): void {
    if (why.by === "other") this.#ended = why.reason;
    this.#waiting.look();
  }
}
