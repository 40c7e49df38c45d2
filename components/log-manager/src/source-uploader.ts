import type { ForeignFolder, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { assemble } from "./assemble.ts";
import { type Batch, BatchBuilder, type Outgoing } from "./batches.ts";
import type { ClockStep } from "./clock/clock-watch.ts";
import { retimed } from "./clock/file-steps.ts";
import type { LogSource } from "./config.ts";
import { DiskLimits } from "./disk-limits.ts";
import { EventMaker, type Made } from "./event-maker.ts";
import { FileSet, type Listed } from "./file-set.ts";
import type { Chunk, FollowedFile } from "./followed-file.ts";
import { listFiles, nameMatcher } from "./listing.ts";
import { EVENT_OVERHEAD_BYTES, utf8Bytes } from "./log-event.ts";
import type { Shared } from "./shared.ts";
import { TimedPut } from "./timed-put.ts";
import { idOf, positionAt } from "./tracked.ts";
import { Wake } from "./wake.ts";

/** A PEM block whose end does not come for so long is closed without it. */
const PEM_WAIT_MS = 60_000;
/** How often disk limits are seen to, whatever the upload is at. */
const LIMITS_EVERY_MS = 5000;
/** What the folder's watch listed so shortly ago is not listed again. */
const LISTING_MS_MAX = 50;

/**
 * Reads one source's files and puts their lines, oldest first. What was read waits in one batch at most; a batch that
 * cannot be put holds only its own source up.
 */
export class SourceUploader {
  readonly matches: (name: string) => boolean;
  readonly #source: LogSource;
  readonly #shared: Shared;
  readonly #folder: ForeignFolder;
  readonly #files: FileSet;
  readonly #limits: DiskLimits;
  readonly #maker: EventMaker;
  readonly #timedPut: TimedPut;
  readonly #opens: Parameters<typeof assemble>[1]["opens"];
  readonly #wake = new Wake();
  #builder = new BatchBuilder();
  /** Lines that were read and are not settled. */
  #unsettled = 0;
  /** Files were given the names of their events since that was last written down. */
  #hasNewNames = false;
  #listed: readonly Listed[] = [];
  /** When the watch listed that, until a round took it. */
  #listedMs = -Infinity;
  #behindSinceMs: number | undefined;
  #limitsTimer: Timer | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Steps of the clock that are being taken into account. */
  #steps = 0;

  constructor(
    source: LogSource,
    folder: ForeignFolder,
    opens: Parameters<typeof assemble>[1]["opens"],
    shared: Shared,
  ) {
    this.#source = source;
    this.#folder = folder;
    this.#opens = opens;
    this.#shared = shared;
    this.matches = nameMatcher(source.fileName);
    this.#maker = new EventMaker(source, shared.config, shared.redactor, shared.crypto);
    this.#timedPut = new TimedPut(
      {
        ...shared,
        failed: () => tally.health.add("uploadFailures"),
        beforeTry: (isFirst) => this.#beforeTry(isFirst),
      },
      (date) => shared.target(source, date),
    );
    const { positions, tally, log } = shared;
    const { component } = source;
    this.#files = new FileSet(
      folder,
      shared,
      {
        lost: (bytes, file) => {
          tally.health.add("lostBytes", bytes);
          log.warn("bytes of a log file were cut or removed before they were read", {
            component,
            file,
            bytes,
          });
        },
        truncated: (file) => {
          tally.health.add("truncations");
          log.info("a log file was cut down or written anew", { component, file });
        },
      },
      positions.of(component),
      positions.old,
    );
    this.#limits = new DiskLimits(source, this.#files, {
      folder,
      log,
      matches: this.matches,
      nowMs: () => shared.clock.monotonicMs(),
      lost: (bytes, lines) => {
        tally.health.add("lostBytes", bytes);
        tally.lostUnread(lines);
      },
    });
  }

  /** Told by the folder's watch. */
  changed(listed: readonly Listed[]): void {
    this.#listed = listed;
    this.#listedMs = this.#shared.clock.monotonicMs();
    this.#lookAtClock(listed);
    this.#wake.wake();
  }

  /** Bytes that are on disk and not acknowledged, and for how long there have been any. */
  lag(): { readonly bytes: number; readonly ms: number } {
    let bytes = 0;
    const counted = new Set<string>();
    for (const { key, status } of this.#listed) {
      const file = this.#files.find(key);
      // Several names may lead to one file.
      if (file?.isAbandoned === true || counted.has(key)) continue;
      counted.add(key);
      bytes +=
        file?.content?.isCompressed === true
          ? file.tracked.seenBytes - file.tracked.position.offset
          : Math.max(0, status.sizeBytes - (file?.tracked.position.offset ?? 0));
    }
    const nowMs = this.#shared.clock.monotonicMs();
    this.#behindSinceMs = bytes === 0 ? undefined : (this.#behindSinceMs ?? nowMs);
    return { bytes, ms: nowMs - (this.#behindSinceMs ?? nowMs) };
  }

  /** Until `signal` aborts; then what was acknowledged is written down, and the files are closed. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#shared;
    const periodMs = config.periodicUploadIntervalSec * 1000;
    this.#watchLimits();
    const unwatch = this.#shared.clockWatch.watch((step) => {
      this.#steps++;
      void this.#inTurn(() => this.#noteStep(step));
    });
    signal.addEventListener("abort", () => this.#wake.wake(), { once: true });
    while (!signal.aborted) {
      const dueInMs = await this.#round(signal).catch((failure: unknown) => {
        if (!signal.aborted)
          this.#shared.log.error("a component's logs could not be read; the next round tries again", {
            component: this.#source.component,
            reason: messageOf(failure),
          });
        return Infinity;
      });
      await this.#wake.wait(Math.min(dueInMs, periodMs), clock);
    }
    unwatch();
    this.#limitsTimer?.cancel();
    await this.#turn;
    await this.#files.close();
  }

  #watchLimits(): void {
    if (!this.#limits.hasWork) return;
    this.#limitsTimer = this.#shared.clock.timer(LIMITS_EVERY_MS, () => {
      // The cloud may hold up the rounds for hours; what is on disk is looked at all the same.
      void this.#inTurn(() => this.#limits.enforce()).finally(() => this.#watchLimits());
    });
  }

  /** The set of files is looked at and trimmed by one at a time. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const acted = this.#turn.then(act);
    this.#turn = acted.catch(() => undefined);
    return acted;
  }

  /** Reads and puts all there is; gives after how long to look again without being woken. */
  async #round(signal: AbortSignal): Promise<number> {
    this.#unsettled = 0;
    this.#builder = new BatchBuilder();
    try {
      await this.#inTurn(async () => {
        if (this.#shared.clock.monotonicMs() - this.#listedMs > LISTING_MS_MAX)
          this.#listed = await listFiles(this.#folder, this.matches);
        this.#listedMs = -Infinity;
        await this.#files.look(this.#listed);
      });
      this.#lookAtClock(this.#listed);
      await this.#turn;
      let dueInMs = Infinity;
      for (const file of this.#files.inOrder()) {
        if (signal.aborted) break;
        dueInMs = Math.min(dueInMs, await this.#read(file, signal));
      }
      await this.#put(this.#builder.take(), signal);
      for (const file of this.#files.inOrder())
        if (!file.isDirty && this.#files.isReleasable(file)) await this.#files.release(file);
      await this.#remember();
      return Math.min(dueInMs, this.#files.dueInMs());
    } finally {
      // What did not arrive is read again from where it was acknowledged.
      this.#shared.tally.brokenOff(this.#source.component, this.#unsettled);
      for (const file of this.#files.inOrder()) {
        if (file.read.offset !== file.tracked.position.offset) file.isDirty = true;
        file.read = file.tracked.position;
      }
    }
  }

  /** The folder was just listed; a step that is found is taken into account in the next turn. */
  #lookAtClock(listed: readonly Listed[]): void {
    this.#shared.clockWatch.look();
    if (this.#steps === 0) this.#files.noteSure(listed);
  }

  /** What waits to be put may wait for days, while its files go on. */
  async #beforeTry(isFirst: boolean): Promise<void> {
    if (isFirst) this.#shared.clockWatch.look();
    else await this.#inTurn(async () => this.#lookAtClock(await this.#list()));
    await this.#turn;
  }

  /** Of a folder that cannot be listed now counts what is known of it. */
  async #list(): Promise<readonly Listed[]> {
    return listFiles(this.#folder, this.matches).catch(() => this.#listed);
  }

  /** What was written before the clock was set gets its right time, in memory and whenever it is read. */
  async #noteStep(step: ClockStep): Promise<void> {
    const made = this.#files.noteStep(step, await this.#list());
    this.#steps--;
    const corrected = (event: Outgoing): Outgoing => ({ ...event, ...retimed(event, made.get(event.id)) });
    this.#builder.retime(corrected);
    this.#timedPut.retime(corrected);
    this.#hasNewNames = true;
    await this.#remember();
  }

  /** Reads what is new in a file; gives after how long what is held back in it is due. */
  async #read(file: FollowedFile, signal: AbortSignal): Promise<number> {
    const { clock, config, crypto, redactor } = this.#shared;
    const flushMs = config.multiLineFlushTimeoutSec * 1000;
    const partialMs = config.partialLineTimeoutSec * 1000;
    while (file.isDirty && file.isSettled && !file.isAbandoned && file.content !== undefined) {
      signal.throwIfAborted();
      let chunk: Chunk | undefined;
      try {
        file.isDirty = false;
        chunk = await file.chunk(crypto);
      } catch (failure) {
        if (!file.isAbandoned) await this.#files.fail(file, failure);
        return Infinity;
      }
      if (chunk === undefined || file.isAbandoned) return file.isDirty ? flushMs : Infinity;
      const bytes = chunk.bytes.subarray(chunk.offset - chunk.from);
      if (file.tracked.id === "") {
        const { device, inode } = file.tracked;
        file.tracked = { ...file.tracked, id: idOf(device, inode, chunk.bytes, crypto) };
        this.#files.hasChanged = true;
        this.#hasNewNames = true;
      }
      const quietMs = clock.monotonicMs() - file.changedMs;
      const endsLine = bytes.at(-1) === 10;
      const assembled = assemble(bytes, {
        opens: this.#opens,
        isMidLine: file.read.isMidLine,
        flush: !chunk.isFull && quietMs >= (endsLine ? flushMs : partialMs),
        flushPemBlock: !chunk.isFull && quietMs >= PEM_WAIT_MS,
        isFinal: !chunk.isFull && !file.isActive && quietMs >= partialMs,
        isFull: chunk.isFull,
        keepsPemBlocks: redactor.keepsPemBlocks,
        safeCut: (text, cut) => redactor.safeCut(text, cut),
      });
      const lines = assembled.events.reduce((sum, event) => sum + event.lines, 0);
      this.#shared.tally.read(this.#source.component, lines);
      this.#unsettled += lines;
      file.read = positionAt(
        chunk.bytes,
        chunk.from,
        chunk.offset + assembled.next,
        assembled.isMidLine,
        crypto,
      );
      for (const [index, raw] of assembled.events.entries()) {
        const offset = chunk.offset + raw.start;
        const made = this.#maker.make(file, raw, offset);
        if (made === undefined) this.#builder.filter(raw.lines);
        else await this.#add(made, signal);
        this.#builder.advance(file, {
          bytes: chunk.bytes,
          from: chunk.from,
          end: chunk.offset + raw.end,
          isMidLine: raw.mark === "piece" || (assembled.isMidLine && index === assembled.events.length - 1),
        });
      }
      if (chunk.isFull) {
        file.isDirty = true;
        continue;
      }
      if (assembled.held === "nothing") continue;
      file.isDirty = true;
      if (assembled.held === "partialLine" && quietMs >= partialMs)
        return this.#show(file, bytes.subarray(assembled.next), chunk.offset + assembled.next, signal);
      const waitMs = { event: flushMs, partialLine: partialMs, pemBlock: PEM_WAIT_MS }[assembled.held];
      return Math.max(1, waitMs - quietMs);
    }
    return Infinity;
  }

  /** Shows a line that is still without its end, once; the whole line follows when it is complete. */
  async #show(file: FollowedFile, bytes: Uint8Array, offset: number, signal: AbortSignal): Promise<number> {
    if (file.shownOffset !== offset) {
      file.shownOffset = offset;
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      const made = this.#maker.show(file, text, offset);
      if (made !== undefined) await this.#add(made, signal);
    }
    // Nothing is due before the file changes.
    file.isDirty = false;
    return Infinity;
  }

  async #add({ dated, text, parts, redactions }: Made, signal: AbortSignal): Promise<void> {
    const { tally, localTopic, serverTime } = this.#shared;
    if (redactions > 0) tally.health.add("redactions", redactions);
    localTopic?.add(this.#source.component, dated, text);
    const cause = serverTime.refuses(dated.timestampMs);
    if (cause === undefined && parts.length > 1) {
      const bytes = parts.reduce((sum, part) => sum + utf8Bytes(part.message) + EVENT_OVERHEAD_BYTES, 0);
      await this.#put(this.#builder.reserve(bytes), signal);
    }
    for (const part of parts)
      await this.#put(
        cause === undefined ? this.#builder.add(part) : this.#builder.refuse(part, cause),
        signal,
      );
  }

  /** Puts a batch, keeps what was refused, and writes down how far that is. */
  async #put(batch: Batch | undefined, signal: AbortSignal): Promise<void> {
    if (batch === undefined) return;
    this.#timedPut.hold(batch.events);
    const { clock, deadLetters, tally, crypto } = this.#shared;
    const { component } = this.#source;
    // Before events go under a file's name that name is written down: they keep it when they have to go again.
    await this.#remember();
    const startedMs = clock.monotonicMs();
    const answered =
      batch.events.length === 0 ? { accepted: [], rejected: [] } : await this.#timedPut.put(signal);
    if (batch.events.length > 0) tally.health.observe("uploadMs", clock.monotonicMs() - startedMs);
    const rejected = [...batch.refused, ...answered.rejected];
    await deadLetters.write(component, rejected);
    let settled = batch.filteredLines;
    tally.filtered(batch.filteredLines);
    for (const { event, cause } of rejected) {
      tally.rejected(cause, event.lines);
      settled += event.lines;
    }
    const uploadedLines = answered.accepted.reduce((sum, { lines }) => sum + lines, 0);
    tally.uploaded(answered.accepted.length, uploadedLines);
    tally.health.add("correctedEvents", answered.accepted.filter(({ isCorrected }) => isCorrected).length);
    this.#unsettled -= settled + uploadedLines;
    for (const [file, { bytes, from, end, isMidLine }] of batch.advances)
      file.acknowledge(positionAt(bytes, from, end, isMidLine, crypto));
    this.#files.hasChanged = true;
    await this.#remember();
  }

  async #remember(): Promise<void> {
    if (!this.#files.hasChanged) return;
    const hasNewNames = this.#hasNewNames;
    this.#files.hasChanged = false;
    this.#hasNewNames = false;
    await this.#shared.positions.record(this.#source.component, this.#files.remembered(), hasNewNames);
  }
}
