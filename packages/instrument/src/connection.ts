import type { Link, LinkClosed } from "@coalmine/ports";
import { FrameDecoder } from "./frame-decoder.ts";
import { cobs, type Framing } from "./framing.ts";
import type { FromHost, FromInstrument } from "./message.ts";
import { readFromInstrument, type NotUnderstood } from "./read-message.ts";
import { writeFromHost } from "./write-message.ts";

/** What a host hears of an instrument, in order. */
export interface ConnectionHandlers {
  message(message: FromInstrument): void;
  /** The microcontroller printed something: it has just started. */
  bootText(text: string): void;
  refused(why: string): void;
  closed(why: LinkClosed): void;
}

/** The host's end of a link to an instrument. Takes the link's handlers for itself. */
export class InstrumentConnection {
  readonly #link: Link;
  readonly #decoder: FrameDecoder;
  readonly #framing: Framing;
  #bytesReceived = 0;

  constructor(link: Link, handlers: ConnectionHandlers, framing: Framing = cobs) {
    this.#link = link;
    this.#framing = framing;
    this.#decoder = new FrameDecoder((decoded) => {
      if (decoded.kind === "boot-text") return handlers.bootText(decoded.text);
      if (decoded.kind === "refused") return handlers.refused(decoded.why);
      const message: FromInstrument | NotUnderstood = readFromInstrument(decoded.frame);
      if (message.kind === "not-understood") return handlers.refused(message.why);
      handlers.message(message);
    }, framing);
    link.onData((bytes) => {
      this.#bytesReceived += bytes.length;
      this.#decoder.push(bytes);
    });
    link.onClose((why) => handlers.closed(why));
  }

  get framesReceived(): number {
    return this.#decoder.framesReceived;
  }
  get framesRefused(): number {
    return this.#decoder.framesRefused;
  }
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  send(message: FromHost): Promise<void> {
    return this.#link.write(writeFromHost(message, this.#framing));
  }
  close(): Promise<void> {
    return this.#link.close();
  }
}
