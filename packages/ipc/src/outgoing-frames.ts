/** So much leaves at once, while more is worked on: the client is to have something to do meanwhile. */
const WRITE_BYTES = 16 * 1024;

/** Frames on their way to one client: what is said in one go leaves in one write, since each is a call of the system. */
export class OutgoingFrames {
  readonly #write: (bytes: Uint8Array) => void;
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #isWorking = false;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  add(frame: Uint8Array): void {
    this.#bytes += frame.length;
    const count = this.#frames.push(frame);
    if (this.#bytes >= WRITE_BYTES) this.flush();
    else if (count === 1 && !this.#isWorking) this.#flushSoon();
  }

  /** Does work that adds frames, and whose promises add more: those that are resolved by its end leave with them. */
  during(work: () => void): void {
    this.#isWorking = true;
    try {
      work();
    } finally {
      this.#isWorking = false;
      if (this.#frames.length > 0) this.#flushSoon();
    }
  }

  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    const bytes = Buffer.concat(frames, this.#bytes);
    this.forget();
    this.#write(bytes);
  }

  forget(): void {
    this.#frames = [];
    this.#bytes = 0;
  }

  #flushSoon(): void {
    void Promise.resolve().then(() => this.flush());
  }
}
