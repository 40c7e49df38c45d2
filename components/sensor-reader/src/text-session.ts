import { LineDecoder, readSentence, sentenceOf } from "@coalmine/instrument";
import type { TextLine } from "@coalmine/instrument/lines";
import type { Clock, Link } from "@coalmine/ports";
import { messageOf, Waiting } from "@coalmine/runtime";
import type { Counts } from "./counts.ts";
import type { MadeInstrument } from "./made-instrument.ts";
import type { PortSession } from "./port-session.ts";

/** From the last byte on the wire until it is here: the driver, the bus, the process. */
const DELAY_MS = 5;
/** Start, eight bits, stop. */
const BITS_PER_BYTE = 10;

/** One open link with an instrument on it that sends lines of text when it pleases. */
export class TextSession implements PortSession {
  readonly port: string;
  readonly #link: Link;
  readonly #line: TextLine;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #made: MadeInstrument;
  readonly #wait: Waiting;
  #heardAtMs: number;
  #ended: string | undefined;
  hasRead = false;

  constructor(
    port: string,
    link: Link,
    line: TextLine,
    owner: { readonly clock: Clock; readonly counts: Counts; made(id: TextLine["id"]): MadeInstrument },
  ) {
    this.port = port;
    this.#link = link;
    this.#line = line;
    this.#clock = owner.clock;
    this.#counts = owner.counts;
    this.#made = owner.made(line.id);
    this.#wait = new Waiting(owner.clock);
    this.#heardAtMs = owner.clock.monotonicMs();
    const decoder = new LineDecoder(line, {
      line: (text) => this.#heard(text),
      refused: () => this.#counts.add("framesRefused"),
    });
    link.onData((bytes) => decoder.push(bytes));
    link.onClose((why) => this.#end(why.by === "us" ? "closed by the reader" : why.reason));
  }

  async run(): Promise<string> {
    while (this.#ended === undefined) {
      const restMs = this.#heardAtMs + 1000 * this.#line.silentSeconds - this.#clock.monotonicMs();
      if (restMs > 0) await this.#wait.atMost(restMs);
      else this.#end(`no line came for ${this.#line.silentSeconds} s`);
    }
    await this.#link.close().catch((failure: unknown) => void messageOf(failure));
    return this.#ended;
  }

  close(why: string): void {
    this.#end(why);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wait.wake();
  }

  #heard(text: string): void {
    if (this.#ended !== undefined) return;
    this.#heardAtMs = this.#clock.monotonicMs();
    this.#counts.add("framesReceived");
    const sentence = sentenceOf(this.#line.sentences, text);
    if (sentence === undefined) return;
    this.hasRead = true;
    if (!this.#made.admits(sentence.fields.length)) {
      this.#counts.add("dropped");
      return;
    }
    // It was measured before its first character left.
    const { link } = this.#line;
    const wireMs = link.kind === "serial" ? (text.length * BITS_PER_BYTE * 1000) / link.baudRate : 0;
    const time = { atMs: this.#heardAtMs - (wireMs + DELAY_MS) / 2, uncertaintyMs: (wireMs + DELAY_MS) / 2 };
    const fields = readSentence(sentence, this.#line.separator, text, (channel) => this.#made.last(channel));
    this.#made.take(fields.map(({ channel, judged }) => ({ channel, judged, ...time })));
  }
}
