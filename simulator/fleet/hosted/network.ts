import type { Link, LinkClosed } from "@coalmine/ports";

/** Bytes on their way at once while the line is cut, each way; TCP's buffers hold about as much. */
const WAITING_BYTES_MAX = 256 * 1024;

/** A device's one way to its cloud. Cut, nothing gets through either way, and neither end is told. */
export class Network {
  readonly #cuts = new Set<symbol>();
  readonly #lines = new Set<Line>();

  get isOnline(): boolean {
    return this.#cuts.size === 0;
  }

  /** Gives how to mend this cut; another one may still be there. */
  cut(): () => void {
    const cut = Symbol("cut");
    this.#cuts.add(cut);
    return () => {
      if (this.#cuts.delete(cut)) this.#resume();
    };
  }

  /** Mends every cut. */
  restore(): void {
    this.#cuts.clear();
    this.#resume();
  }

  /** What waited on the lines that both ends still hold is sent again, as TCP does. */
  #resume(): void {
    if (this.isOnline) for (const line of this.#lines) line.resume();
  }

  /** The device lost its power: its lines fall silent, and the other ends find out by themselves. */
  vanish(): void {
    for (const line of this.#lines) line.vanish();
    this.#lines.clear();
  }

  /** The device's end of a new connection whose far end `accept` is given; rejects while there is no way. */
  async connect(pair: () => readonly [Link, Link], accept: (far: Link) => void): Promise<Link> {
    if (!this.isOnline) throw new Error("the device has no network");
    const [near, far] = pair();
    accept(far);
    const line: Line = new Line(
      near,
      () => this.isOnline,
      () => this.#lines.delete(line),
    );
    this.#lines.add(line);
    return line;
  }
}

/** A byte stream over the network; `near` is the cable beyond which the other end is. */
class Line implements Link {
  readonly #near: Link;
  readonly #isOnline: () => boolean;
  readonly #forget: () => void;
  /** What the network holds while it is cut: bytes either way, and the news that an end has gone. */
  #waiting: (() => void)[] = [];
  #waitingBytes = 0;
  #isOverfull = false;
  #isClosed = false;
  #isSilent = false;
  #receive: ((bytes: Uint8Array) => void) | undefined;
  #closed: ((why: LinkClosed) => void) | undefined;

  constructor(near: Link, isOnline: () => boolean, forget: () => void) {
    this.#near = near;
    this.#isOnline = isOnline;
    this.#forget = forget;
    near.onClose((why) => {
      if (why.by === "other") this.#carry(0, () => this.#hangUp(why));
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) throw new Error("cannot write: the connection is closed");
    if (this.#isOnline()) return this.#near.write(bytes);
    const copy = bytes.slice();
    this.#carry(copy.length, () => void this.#near.write(copy).catch(() => undefined));
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
    this.#near.onData((bytes) => this.#carry(bytes.length, () => this.#receive?.(bytes)));
  }

  onClose(closed: (why: LinkClosed) => void): void {
    this.#closed = closed;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receive = undefined;
    this.#closed?.({ by: "us" });
    this.#carry(0, () => {
      this.#forget();
      void this.#near.close();
    });
  }

  /** The network is back. A line that lost bytes is reset. */
  resume(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#isOverfull) {
      this.#hangUp({ by: "other", reason: "the connection was reset" });
      void this.#near.close();
    } else for (const arrive of waiting) arrive();
  }

  vanish(): void {
    this.#isClosed = true;
    this.#isSilent = true;
    this.#waiting = [];
    this.#receive = undefined;
    this.#closed = undefined;
  }

  #carry(bytes: number, arrive: () => void): void {
    if (this.#isSilent) return;
    if (this.#isOnline()) {
      arrive();
      return;
    }
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#isOverfull = true;
    else this.#waiting.push(arrive);
  }

  #hangUp(why: LinkClosed): void {
    this.#forget();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed?.(why);
  }
}
