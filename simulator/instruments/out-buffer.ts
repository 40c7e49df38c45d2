import type { Link } from "@coalmine/ports";

/** As much as the transmit buffer of an instrument holds. */
const OUT_BYTES_MAX = 65_536;

/** What an instrument is about to send, in order. When it is full, more is lost: the ring still has it. */
export class OutBuffer {
  readonly #link: Link;
  #waitingBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #replays = 0;
  #epoch = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  send(bytes: Uint8Array): void {
    if (this.#waitingBytes + bytes.length > OUT_BYTES_MAX) return;
    // The common case, an idle line, waits for nothing.
    const idle = this.#waitingBytes === 0;
    this.#waitingBytes += bytes.length;
    const epoch = this.#epoch;
    const write = async () => {
      try {
        if (epoch === this.#epoch) await this.#link.write(bytes);
      } catch {
        // The cable went; `onClose` tells, and the ring keeps.
      } finally {
        this.#waitingBytes -= bytes.length;
      }
    };
    this.#last = idle ? write() : this.#last.then(write);
  }

  /** When all that was sent so far is on the line. */
  room(): Promise<void> {
    return this.#last;
  }

  /** A power cut empties it. */
  forget(): void {
    this.#epoch++;
    this.#replays++;
  }

  beginReplay(): number {
    return ++this.#replays;
  }
  isReplay(replay: number): boolean {
    return replay === this.#replays;
  }
}
