import type { Crypto } from "@coalmine/ports";
import type { RawEvent } from "./assemble.ts";
import type { Outgoing } from "./batches.ts";
import type { Config, LogSource } from "./config.ts";
import type { FollowedFile } from "./followed-file.ts";
import { linearPattern } from "./linear-pattern.ts";
import { isAtLeast, split, told, type Told, withEventId } from "./log-event.ts";
import type { Redactor } from "./redactor.ts";
import { eventId } from "./tracked.ts";

const marks = { whole: "", piece: "[partial] ", cutOff: "[partial] ", rest: "[continued] " } as const;

export interface Made {
  readonly told: Told;
  /** Redacted, and not yet cut into parts. */
  readonly text: string;
  readonly parts: readonly Outgoing[];
  readonly redactions: number;
}

/** Makes what may be sent of what stands in a file: level, time, redaction, event id, parts. */
export class EventMaker {
  readonly #source: LogSource;
  readonly #config: Config;
  readonly #redactor: Redactor;
  readonly #crypto: Crypto;
  readonly #levelOf: ((message: string) => string | undefined) | undefined;

  constructor(source: LogSource, config: Config, redactor: Redactor, crypto: Crypto) {
    this.#source = source;
    this.#config = config;
    this.#redactor = redactor;
    this.#crypto = crypto;
    const pattern = source.levelPattern === undefined ? undefined : linearPattern(source.levelPattern);
    this.#levelOf = pattern === undefined ? undefined : (message) => pattern.capture(message);
  }

  /** Nothing where the event is below the level or empty. `offset` is where it begins in the file. */
  make(file: FollowedFile, raw: RawEvent, offset: number): Made | undefined {
    if (raw.text.length === 0) return undefined;
    const said = told(raw.text, file.lastTimestampMs ?? file.modifiedMs, this.#levelOf);
    file.lastTimestampMs = said.timestampMs;
    if (!isAtLeast(said.level, this.#source.minimumLevel)) return undefined;
    const clean = this.#redactor.redact(raw.text);
    const text = `${marks[raw.mark]}${clean.text}`;
    return this.#made(file, said, text, clean.replaced, raw.lines, offset);
  }

  /**
   * A line that has no end yet, as it is so far. Where anything is redacted its last word is left out: it may be the
   * beginning of what would be.
   */
  show(file: FollowedFile, unfinished: string, offset: number): Made | undefined {
    const said = told(unfinished, file.lastTimestampMs ?? file.modifiedMs, this.#levelOf);
    if (!isAtLeast(said.level, this.#source.minimumLevel)) return undefined;
    const { text, replaced } = this.#redactor.redact(unfinished);
    const shown = this.#redactor.isIdle ? text : `${text.replace(/\S{1,1000}$/, "")}…`;
    return this.#made(file, said, `[partial] ${shown}`, replaced, 0, offset);
  }

  #made(
    file: FollowedFile,
    said: Told,
    text: string,
    redactions: number,
    lines: number,
    offset: number,
  ): Made {
    const { id } = file.tracked;
    const { eventIds, cloudWatch } = this.#config;
    const message = eventIds ? withEventId(text, eventId(id, offset, this.#crypto)) : text;
    const parts = split(message, cloudWatch.eventBytesMax).map((part, index) => ({
      timestampMs: said.timestampMs,
      message: part,
      lines: index === 0 ? lines : 0,
      id,
      offset,
    }));
    return { told: said, text, parts, redactions };
  }
}
