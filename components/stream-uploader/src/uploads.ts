import type { Cursor, DurableLog } from "@coalmine/durable-log";
import type { Clock, Crypto, Files, Log, Objects, Random } from "@coalmine/ports";
import { fullJitter, InvariantError, messageOf } from "@coalmine/runtime";
import { Alarm } from "./alarm.ts";
import { decodePoints } from "./batch-record.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { Intake } from "./intake.ts";
import { LAKE_FILE_VERSION, LakeRows } from "./lake-file.ts";
import { dayOf, lakeKey } from "./lake-key.ts";
import type { SeenPoints } from "./seen-points.ts";
import { classify } from "./upload-failure.ts";
import type { UploaderHealth } from "./uploader-health.ts";
import type { UploadPlan } from "./upload-plan.ts";

const BACKOFF = { firstMs: 1000, maxMs: 300_000 };
/** What only a person can mend is named this often. */
const REMEDY_EVERY_MS = 3_600_000;
/** Without an upload a checkpoint is still written after so many points, to bound what a start has to read. */
const CHECKPOINT_POINTS = 100_000;

export interface UploadsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly crypto: Crypto;
  readonly objects: Objects;
  readonly log: Log;
  readonly thing: string;
  readonly store: DurableLog;
  readonly cursor: Cursor;
  readonly seen: SeenPoints;
  readonly plan: UploadPlan;
  readonly intake: Intake;
  readonly health: UploaderHealth;
  readonly reserve: DiskReserve;
  readonly config: () => Config;
}

/**
 * Carries the log into the lake, upload by upload: fix the edge durably, put, advance the cursor durably, free. Each
 * step may be repeated after a crash: the edge stays, so the key stays, and S3 keeps the first object of a key.
 */
export class Uploads {
  readonly #parts: UploadsParts;
  readonly #alarm: Alarm;
  #isStopped = false;
  #isFixingEdge = false;
  /** The present wait ends by itself when something is due: single points need not end it. */
  #isDueKnown = false;
  #remedyToldMs = new Map<string, number>();
  #pointsAtCheckpoint = 0;
  #pointsStored = 0;

  constructor(parts: UploadsParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock);
  }

  /** An edge or a cursor is being written: an update had better wait a moment. */
  get isFixingEdge(): boolean {
    return this.#isFixingEdge;
  }

  /** Something changed that a wait may depend on: new points, another configuration. */
  wake(): void {
    this.#alarm.ring();
  }

  /** So many new points are durable. */
  stored(points: number): void {
    this.#pointsStored += points;
    if (!this.#isDueKnown || this.#parts.plan.next !== undefined) this.#alarm.ring();
  }

  stop(): void {
    this.#isStopped = true;
    this.#alarm.ring();
  }

  /** Uploads until stopped. Rejects only for a broken promise of our own. */
  async run(): Promise<void> {
    const { log, random } = this.#parts;
    let backoff = fullJitter(BACKOFF, random);
    while (!this.#isStopped) {
      try {
        await this.#step();
        backoff = fullJitter(BACKOFF, random);
      } catch (failure) {
        if (failure instanceof InvariantError) throw failure;
        log.error("the disk refused an upload's books; it will be tried again", {
          cause: messageOf(failure),
        });
        await this.#waitOut(backoff.next().value);
      }
    }
  }

  /** Waits for something to upload, or uploads it. */
  async #step(): Promise<void> {
    const { cursor, plan, clock, config } = this.#parts;
    await this.#checkpointIfDue();
    if (cursor.reserved <= cursor.done && plan.next === undefined) {
      const dueInMs = plan.dueInMs(clock.now(), config().flushIntervalSeconds * 1000);
      if (dueInMs !== 0) {
        this.#isDueKnown = dueInMs !== undefined;
        await this.#alarm.wait(dueInMs);
        return;
      }
      await this.#parts.intake.atRest(() => plan.cut());
    }
    await this.#upload();
  }

  async #upload(): Promise<void> {
    const { cursor, plan, store, health, clock } = this.#parts;
    if (cursor.reserved <= cursor.done) await this.#fixEdge(plan.next?.last ?? store.last);
    const first = cursor.done + 1;
    const last = cursor.reserved;
    const started = clock.monotonicMs();
    let points = 0;
    for (const object of await this.#objects(first, last)) {
      if (!(await this.#put(object.key, object.body))) return;
      points += object.rows;
      health.count("uploadedObjects");
    }
    health.count("uploadedPoints", points);
    health.observe("uploadMs", clock.monotonicMs() - started);
    this.#isFixingEdge = true;
    try {
      await cursor.advance(last);
    } finally {
      this.#isFixingEdge = false;
    }
    plan.pass(last);
    await store.free();
    // What an upload borrowed on a full disk.
    await this.#parts.reserve.take();
  }

  /** Before anything is told outside: the checkpoint that knows these points, then the edge itself. */
  async #fixEdge(last: number): Promise<void> {
    this.#isFixingEdge = true;
    try {
      await this.#checkpoint();
      await this.#parts.cursor.reserve(last);
    } finally {
      this.#isFixingEdge = false;
    }
  }

  async #checkpointIfDue(): Promise<void> {
    if (this.#pointsStored - this.#pointsAtCheckpoint >= CHECKPOINT_POINTS) await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    const { intake, store, seen, plan, files, crypto } = this.#parts;
    const checkpoint = await intake.atRest(() => {
      this.#pointsAtCheckpoint = this.#pointsStored;
      return {
        version: 1 as const,
        epoch: store.epoch,
        through: store.last,
        seen: seen.toNumbers(),
        edges: plan.edges.map((edge) => ({ ...edge })),
        ...(plan.open === undefined ? {} : { open: { ...plan.open } }),
      };
    });
    await this.#parts.reserve.lend(() => saveCheckpoint(files, crypto, checkpoint));
  }

  /** The objects of a range of records, one for each day that its points were sampled on. */
  async #objects(first: number, last: number): Promise<{ key: string; body: Uint8Array; rows: number }[]> {
    const { store, thing, crypto, config, health, log } = this.#parts;
    const days = new Map<number, LakeRows>();
    for await (const chunk of store.read(first, last)) {
      for (const gap of chunk.gaps) {
        // What was given up to make room was told then.
        if (gap.last < store.first) continue;
        health.count("lostRecords", gap.last - gap.first + 1);
        log.error("records are missing in the log", { first: gap.first, last: gap.last });
      }
      for (const record of chunk.records) {
        const points = decodePoints(record.payload);
        for (let at = 0; at < points.sequence.length; at++) {
          const day = dayOf(points.sampleTimeMs[at] ?? 0);
          let rows = days.get(day);
          if (rows === undefined) {
            rows = new LakeRows(thing);
            days.set(day, rows);
          }
          rows.add(points, at);
        }
      }
    }
    const facts = {
      "coalmine.thing": thing,
      "coalmine.epoch": store.epoch,
      "coalmine.firstSequence": String(first),
      "coalmine.lastSequence": String(last),
      "coalmine.schemaVersion": String(LAKE_FILE_VERSION),
    };
    return [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, rows]) => ({
        key: lakeKey({ prefix: config().keyPrefix, thing, epoch: store.epoch, first, last, day }),
        body: rows.toParquet(facts, crypto),
        rows: rows.rows,
      }));
  }

  /** Tries until the object is stored; false when stopped before. */
  async #put(key: string, body: Uint8Array): Promise<boolean> {
    const { objects, config, health, log, random } = this.#parts;
    const backoff = fullJitter(BACKOFF, random);
    while (!this.#isStopped) {
      let waitMs = backoff.next().value;
      try {
        await objects.put({
          bucket: config().bucket,
          key,
          body,
          contentType: "application/vnd.apache.parquet",
          ifNoneMatch: true,
        });
        return true;
      } catch (failure) {
        const answer = classify(failure);
        if (answer.kind === "stored") return true;
        health.count("uploadFailures");
        if (answer.kind === "blocked") this.#tellRemedy(answer.code, answer.remedy, messageOf(failure));
        else {
          log.debug("an upload will be tried again", { key, code: answer.code, cause: messageOf(failure) });
          waitMs = Math.max(waitMs, answer.afterMs);
        }
      }
      await this.#waitOut(waitMs);
      // The network may be gone for weeks.
      await this.#checkpointIfDue();
    }
    return false;
  }

  /** New points do not end this wait; stopping and a new configuration do. */
  async #waitOut(waitMs: number): Promise<void> {
    const { clock, config } = this.#parts;
    const until = clock.monotonicMs() + waitMs;
    const before = config();
    const leftMs = (): number => until - clock.monotonicMs();
    // Less than a millisecond may be less than the clock can tell apart.
    while (!this.#isStopped && config() === before && leftMs() >= 1) await this.#alarm.wait(leftMs());
  }

  #tellRemedy(code: string, remedy: string, cause: string): void {
    const { clock, log, config } = this.#parts;
    const told = this.#remedyToldMs.get(code);
    if (told !== undefined && clock.monotonicMs() - told < REMEDY_EVERY_MS) return;
    this.#remedyToldMs.set(code, clock.monotonicMs());
    log.error("uploads are refused; the points are kept", { code, bucket: config().bucket, remedy, cause });
  }
}
