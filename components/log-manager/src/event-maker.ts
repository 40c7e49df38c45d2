import type { Crypto } from "@coalmine/ports";
import type { RawEvent } from "./assemble.ts";
import type { Outgoing } from "./batches.ts";
import type { Config, LogSource } from "./config.ts";
import type { EventTime } from "./clock/file-steps.ts";
import type { FollowedFile } from "./followed-file.ts";
import { linearPattern } from "./linear-pattern.ts";
import { isAtLeast, split, told, type Told, withEventId } from "./log-event.ts";
import type { Redactor } from "./redactor.ts";
import { eventId } from "./tracked.ts";

const marks = { whole: "", piece: "[partial] ", cutOff: "[partial] ", rest: "[continued] " } as const;

/** Time and level of an event. */
export type Dated = EventTime & Pick<Told, "level">;

export interface Made {
  readonly dated: Dated;
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
    const dated = this.#date(file, raw.text, offset);
    file.last = { ...dated, offset };
    if (!isAtLeast(dated.level, this.#source.minimumLevel)) return undefined;
    const clean = this.#redactor.redact(raw.text);
    const text = `${marks[raw.mark]}${clean.text}`;
    return this.#made(file, dated, text, clean.replaced, raw.lines, offset);
  }

  /**
   * A line that has no end yet, as it is so far. Where anything is redacted its last word is left out: it may be the
   * beginning of what would be.
   */
  show(file: FollowedFile, unfinished: string, offset: number): Made | undefined {
    const dated = this.#date(file, unfinished, offset);
    if (!isAtLeast(dated.level, this.#source.minimumLevel)) return undefined;
    const { text, replaced } = this.#redactor.redact(unfinished);
    const shown = this.#redactor.isIdle ? text : `${text.replace(/\S{1,1000}$/, "")}…`;
    return this.#made(file, dated, `[partial] ${shown}`, replaced, 0, offset);
  }

  #date(file: FollowedFile, text: string, offset: number): Dated {
    const { statedMs, level } = told(text, this.#levelOf);
    return { ...file.timeAt(offset, statedMs), level };
  }

  #made(
    file: FollowedFile,
    dated: Dated,
    text: string,
    redactions: number,
    lines: number,
    offset: number,
  ): Made {
    const { id } = file.tracked;
    const { eventIds, cloudWatch } = this.#config;
    const message = eventIds ? withEventId(text, eventId(id, offset, this.#crypto)) : text;
    const parts = split(message, cloudWatch.eventBytesMax).map((part, index) => ({
      timestampMs: dated.timestampMs,
      isCorrected: dated.isCorrected,
      message: part,
      lines: index === 0 ? lines : 0,
      id,
      offset,
    }));
    return { dated, text, parts, redactions };
  }
}
