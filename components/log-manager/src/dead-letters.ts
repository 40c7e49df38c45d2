import type { Clock, Crypto, Files, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Outgoing, RejectCause } from "./batches.ts";
import { eventId } from "./tracked.ts";

const NAME = "rejected.jsonl";
const OLDER = "rejected.1.jsonl";

export interface DeadLetter {
  readonly event: Outgoing;
  readonly cause: RejectCause;
}

/**
 * Events that the service did not keep, as JSON lines in the work folder, redacted like everything that leaves memory.
 * Two files, each at most half of the limit: when the newer is full it takes the place of the older, whose events are
 * then gone, and counted.
 */
export class DeadLetters {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #crypto: Crypto;
  readonly #limitBytes: () => number;
  #sizeBytes: number | undefined;
  #olderBytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #isFailing = false;
  /** Events that are not, or no longer, on disk. */
  dropped = 0;

  constructor(ports: { files: Files; clock: Clock; log: Log; crypto: Crypto }, limitBytes: () => number) {
    this.#crypto = ports.crypto;
    this.#files = ports.files;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return (this.#sizeBytes ?? 0) + this.#olderBytes;
  }

  /** Resolves when they are on disk, or counted as dropped where the disk refuses them. */
  async write(component: string, letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    this.#turn = this.#turn.then(async () => {
      try {
        await this.#write(component, letters);
        this.#isFailing = false;
      } catch (failure) {
        this.dropped += letters.length;
        if (!this.#isFailing)
          this.#log.error("rejected log events cannot be kept on disk; they are dropped and counted", {
            reason: messageOf(failure),
          });
        this.#isFailing = true;
      }
    });
    await this.#turn;
  }

  async #write(component: string, letters: readonly DeadLetter[]): Promise<void> {
    this.#sizeBytes ??= await this.#size(NAME);
    this.#olderBytes ||= await this.#size(OLDER);
    const half = this.#limitBytes() / 2;
    const rejectedMs = this.#clock.now();
    let text = "";
    for (const { event, cause } of letters) {
      const { timestampMs, message } = event;
      const eid = eventId(event.id, event.offset, this.#crypto);
      const line = `${JSON.stringify({ component, cause, rejectedMs, timestampMs, eid, message })}\n`;
      // A line that no file has room for, or a limit of nothing.
      if (line.length * 3 > half) this.dropped++;
      else if (text.length + line.length > half / 3) {
        await this.#append(text, half);
        text = line;
      } else text += line;
    }
    await this.#append(text, half);
  }

  async #append(text: string, half: number): Promise<void> {
    if (text === "") return;
    const bytes = new TextEncoder().encode(text);
    let at = this.#sizeBytes ?? 0;
    if (at > 0 && at + bytes.length > half) {
      this.dropped += await this.#lines(OLDER);
      await this.#files.rename(NAME, OLDER);
      this.#olderBytes = at;
      at = 0;
    }
    const file = await this.#files.open(NAME, "create");
    try {
      await file.write(at, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (at === 0) await this.#files.syncFolder("");
    this.#sizeBytes = at + bytes.length;
  }

  async #size(name: string): Promise<number> {
    return this.#files.status(name).then(
      ({ sizeBytes }) => sizeBytes,
      () => 0,
    );
  }

  async #lines(name: string): Promise<number> {
    const size = await this.#size(name);
    if (size === 0) return 0;
    const file = await this.#files.open(name, "read");
    try {
      return (await file.read(0, size)).reduce((lines, byte) => lines + Number(byte === 10), 0);
    } finally {
      await file.close();
    }
  }
}
