import { invariant, messageOf } from "@coalmine/runtime";
import { generate, parser, type Packet } from "mqtt-packet";

/** Cuts bytes into MQTT packets. What is not MQTT is told once, and nothing is read after it. */
export class PacketReader {
  readonly #parser = parser();
  readonly #packetBytesMax: number;
  readonly #malformed: (why: string) => void;
  #ended = false;

  constructor(packetBytesMax: number, packet: (packet: Packet) => void, malformed: (why: string) => void) {
    this.#packetBytesMax = packetBytesMax;
    this.#malformed = malformed;
    this.#parser.on("packet", (found) => {
      if (this.#ended) return;
      if ((found.length ?? 0) > packetBytesMax) this.#end(tooLarge(packetBytesMax));
      else packet(found);
    });
    this.#parser.on("error", (error: unknown) => this.#end(messageOf(error)));
  }

  read(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      const left = this.#parser.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      if (left > this.#packetBytesMax + 5) this.#end(tooLarge(this.#packetBytesMax));
    } catch (failure) {
      // The parser throws on some malformed packets instead of telling.
      this.#end(messageOf(failure));
    }
  }

  /** Reads nothing any more, whatever comes. */
  stop(): void {
    this.#ended = true;
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#malformed(why);
  }
}

function tooLarge(packetBytesMax: number): string {
  return `a packet is larger than ${packetBytesMax} bytes`;
}

/** The bytes of a packet of ours. The library writes nothing where it refuses one; that would be our own mistake. */
export function packetBytes(packet: Packet, protocolVersion: 3 | 4 | 5): Uint8Array {
  const bytes = generate(packet, { protocolVersion });
  invariant(bytes.length >= 2, `cannot write a ${packet.cmd} packet`);
  return bytes;
}
