import type { Clock, Crypto, Files, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Outgoing, RejectCause } from "../batches.ts";
import { eventId } from "../tracked.ts";
import { Wake } from "../wake.ts";
import { LetterFiles, lettersIn } from "./letter-files.ts";

/** A file is one object, and stands in memory while it is put. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export interface DeadLetter {
  readonly event: Outgoing;
  readonly cause: RejectCause;
}

/**
 * Events that the service did not keep, as JSON lines in the work folder, redacted like everything that leaves memory. A
 * file is full at half of the limit, and at 4 MiB. Beyond the limit the oldest goes, and its events are counted.
 */
export class DeadLetters {
  readonly #ports: {
    readonly files: Files;
    readonly clock: Clock;
    readonly log: Log;
    readonly crypto: Crypto;
  };
  readonly #limitBytes: () => number;
  #files: LetterFiles | undefined;
  /** Since when the current file has letters, by this run: on the monotonic clock. */
  #sinceMs: number | undefined;
  /** The full file that somebody is putting elsewhere. */
  #taken: number | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isFailing = false;
  /** Wakes whoever waits for a full file, or for the current one to be of an age. */
  readonly changed = new Wake();
  /** Events that are not, or no longer, on disk. */
  dropped = 0;

  constructor(
    ports: { readonly files: Files; readonly clock: Clock; readonly log: Log; readonly crypto: Crypto },
    limitBytes: () => number,
  ) {
    this.#ports = ports;
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#files?.sizeBytes ?? 0;
  }

  /** Resolves when they are on disk, or counted as dropped where the disk refuses them. */
  async write(component: string, letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    try {
      await this.#inTurn((files) => this.#write(files, component, letters));
      this.#isFailing = false;
    } catch (failure) {
      this.dropped += letters.length;
      if (!this.#isFailing)
        this.#ports.log.error("rejected log events cannot be kept on disk; they are dropped and counted", {
          reason: messageOf(failure),
        });
      this.#isFailing = true;
    }
  }

  /**
   * The oldest full file; it stays until it is told what became of it. Where none waits the current one is full at
   * `ageMs` too, counted from its first letter, or from when this run found it.
   */
  take(ageMs: number): Promise<Uint8Array | undefined> {
    return this.#inTurn(async (files) => {
      if (files.full.length === 0 && this.dueInMs(ageMs) <= 0) await this.#fill(files);
      [this.#taken] = files.full;
      return this.#taken === undefined ? undefined : files.read(this.#taken);
    });
  }

  /** What was taken is elsewhere, and goes from here. */
  async sent(): Promise<void> {
    await this.#inTurn(async (files) => {
      if (this.#taken !== undefined) await files.remove(this.#taken);
      this.#taken = undefined;
    });
  }

  /** What was taken could not be put anywhere. */
  kept(): void {
    this.#taken = undefined;
  }

  /** In how many milliseconds the current file is of this age; Infinity where there is none. */
  dueInMs(ageMs: number): number {
    return this.#sinceMs === undefined ? Infinity : this.#sinceMs + ageMs - this.#ports.clock.monotonicMs();
  }

  #inTurn<Result>(act: (files: LetterFiles) => Promise<Result>): Promise<Result> {
    const acted = this.#turn.then(async () => {
      this.#files ??= await LetterFiles.look(this.#ports.files);
      this.#note(this.#files);
      try {
        return await act(this.#files);
      } catch (failure) {
        this.#files = undefined;
        throw failure;
      }
    });
    this.#turn = acted.catch(() => undefined);
    return acted;
  }

  #note(files: LetterFiles): void {
    if (files.currentBytes === 0) this.#sinceMs = undefined;
    else if (this.#sinceMs === undefined) {
      this.#sinceMs = this.#ports.clock.monotonicMs();
      this.changed.wake();
    }
  }

  async #write(files: LetterFiles, component: string, letters: readonly DeadLetter[]): Promise<void> {
    const { clock, crypto } = this.#ports;
    const rejectedMs = clock.now();
    const encoder = new TextEncoder();
    let text = "";
    let textBytes = 0;
    for (const { event, cause } of letters) {
      const { timestampMs, message } = event;
      const eid = eventId(event.id, event.offset, crypto);
      const line = `${JSON.stringify({ component, cause, rejectedMs, timestampMs, eid, message })}\n`;
      const bytes = encoder.encode(line).length;
      if (bytes >= this.#fileBytesMax) {
        // A line that no file has room for, or a limit of nothing.
        this.dropped++;
        continue;
      }
      if (textBytes + bytes >= this.#fileBytesMax) {
        await this.#append(files, encoder.encode(text));
        text = "";
        textBytes = 0;
      }
      text += line;
      textBytes += bytes;
    }
    if (text !== "") await this.#append(files, encoder.encode(text));
  }

  get #fileBytesMax(): number {
    return Math.min(this.#limitBytes() / 2, FILE_BYTES_MAX);
  }

  /** Of fewer bytes than a file has room for: one more may be needed for the end of a torn line. */
  async #append(files: LetterFiles, lines: Uint8Array): Promise<void> {
    if (files.currentBytes > 0 && files.currentBytes + lines.length >= this.#fileBytesMax)
      await this.#fill(files);
    while (files.sizeBytes + lines.length >= this.#limitBytes()) {
      const oldest = files.full.find((number) => number !== this.#taken);
      if (oldest === undefined) break;
      this.dropped += lettersIn(await files.read(oldest));
      await files.remove(oldest);
    }
    await files.append(lines);
    this.#note(files);
  }

  async #fill(files: LetterFiles): Promise<void> {
    await files.fill();
    this.#sinceMs = undefined;
    this.changed.wake();
  }
}
