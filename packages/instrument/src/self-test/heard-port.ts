import type { Clock, Link, LinkError, Links, LinkTarget } from "@coalmine/ports";
import { Waiting } from "@coalmine/runtime";
import type { Dialect } from "./dialect.ts";

export type SerialTarget = Extract<LinkTarget, { kind: "serial" }>;

/** Of one opening; a port that never falls silent fills it, and the first bytes tell enough. */
const HEARD_BYTES_MAX = 8192;
/** Bytes that come after the line was quiet for so long are a new burst. */
const BURST_GAP_MS = 20;

/** A line that takes a question for longer is held by something else. */
const WRITE_MS_MAX = 5000;

/** The port went while it was listened to. */
export class PortGone extends Error {
  override readonly name = "PortGone";
}

/** A port opened to ask and to listen, whatever speaks on it. */
export class HeardPort {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #waiting: Waiting;
  readonly #ears: readonly {
    readonly dialect: Dialect;
    readonly hear: (bytes: Uint8Array) => string | undefined;
  }[];
  #heard = new Uint8Array(0);
  #heardBytes = 0;
  #sent: number[] = [];
  #gone: string | undefined;
  #lastMs = -Infinity;
  #gapMsMax = 0;
  recognised: { readonly dialect: Dialect; readonly who: string } | undefined;

  private constructor(link: Link, clock: Clock, dialects: readonly Dialect[]) {
    this.#link = link;
    this.#clock = clock;
    this.#ears = dialects.map((dialect) => ({ dialect, hear: dialect.listen() }));
    this.#waiting = new Waiting(clock);
    link.onData((bytes) => this.#receive(bytes));
    link.onClose((why) => {
      if (why.by === "other") this.#gone = why.reason;
      this.#waiting.wake();
    });
  }

  /** Listens to all of `dialects` from now on. Rejects with a `LinkError`. */
  static async open(
    { links, clock }: { readonly links: Links; readonly clock: Clock },
    target: SerialTarget,
    dialects: readonly Dialect[] = [],
  ): Promise<HeardPort> {
    return new HeardPort(await links.open(target), clock, dialects);
  }

  get heard(): Uint8Array {
    return this.#heard;
  }
  /** Of all that came, also what was not kept. */
  get heardBytes(): number {
    return this.#heardBytes;
  }
  /** Nothing came but what was sent: the adapter hears itself. */
  get isEcho(): boolean {
    return this.#heard.length > 0 && this.#heard.every((byte, index) => byte === this.#sent[index]);
  }
  /** Longest wait between two bursts. */
  get gapMsMax(): number {
    return this.#gapMsMax;
  }

  /** Throws `PortGone`, as all that waits on the port does. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.#sent.length < HEARD_BYTES_MAX) this.#sent.push(...bytes);
    let written = false;
    void this.#link.write(bytes).then(
      () => {
        written = true;
        this.#waiting.look();
      },
      (failure: unknown) => {
        this.#gone ??= failure instanceof Error ? failure.message : String(failure);
        this.#waiting.wake();
      },
    );
    await this.#waiting.until(() => written || this.#gone !== undefined, WRITE_MS_MAX);
    this.#refuseGone();
  }

  async listen(patienceMs: number): Promise<void> {
    const isOver = () => this.#gone !== undefined || this.recognised !== undefined;
    await this.#waiting.until(isOver, patienceMs);
    this.#refuseGone();
  }

  async close(): Promise<void> {
    // A link that went by itself may refuse to close; there is nothing left to do with it.
    await this.#link.close().catch(() => undefined);
  }

  #receive(bytes: Uint8Array): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastMs > BURST_GAP_MS && this.#lastMs >= 0)
      this.#gapMsMax = Math.max(this.#gapMsMax, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#heardBytes += bytes.length;
    if (this.#heard.length < HEARD_BYTES_MAX) {
      const all = new Uint8Array(this.#heard.length + bytes.length);
      all.set(this.#heard);
      all.set(bytes, this.#heard.length);
      this.#heard = all;
    }
    for (const { dialect, hear } of this.#ears) {
      const who = hear(bytes);
      if (who !== undefined) this.recognised ??= { dialect, who };
    }
    this.#waiting.look();
  }

  #refuseGone(): void {
    if (this.#gone !== undefined) throw new PortGone(this.#gone);
  }
}

export function isLinkError(failure: unknown): failure is LinkError {
  return failure instanceof Error && failure.name === "LinkError" && "code" in failure;
}
