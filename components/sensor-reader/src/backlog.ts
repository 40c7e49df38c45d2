import { MeasurementBatch, type Acknowledgement } from "@coalmine/contract";
import { type Cursor, DurableLog } from "@coalmine/durable-log";
import type { Log, Ports, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";

export const BACKLOG_FOLDER = "backlog";
/** Small beside the smallest cap, so that room comes back soon; the largest batch fits into half of it. */
const SEGMENT_BYTES = 512 * 1024;
/** What a point takes as JSON; only escaped characters make it longer. */
const POINT_BYTES = 512;
/** What was acknowledged is noted so often at most: what a crash forgets of it is published again, under its names. */
const NOTE_MS = 5000;

export interface BacklogPorts extends Pick<Ports, "files" | "crypto" | "clock"> {
  readonly log: Log;
}

/**
 * Batches of readings that no instrument could send again: on disk from before they are published until stream-uploader
 * has them on its own. One sync stores whatever comes at the same time.
 */
export class Backlog {
  readonly #ports: BacklogPorts;
  readonly #store: DurableLog;
  readonly #cursor: Cursor;
  readonly #capBytes: () => number;
  /** The record of each batch that is not acknowledged, lowest number first. */
  readonly #numbers = new Map<string, number>();
  #newest: number;
  #comingPoints = 0;
  #timer: Timer | undefined;
  #noting: Promise<void> = Promise.resolve();
  #complained = false;

  private constructor(ports: BacklogPorts, store: DurableLog, cursor: Cursor, capBytes: () => number) {
    this.#ports = ports;
    this.#store = store;
    this.#cursor = cursor;
    this.#capBytes = capBytes;
    this.#newest = cursor.done;
  }

  /** Also gives the batches that earlier lives of the reader left, in the order in which they were kept. */
  static async open(
    ports: BacklogPorts,
    capBytes: () => number,
  ): Promise<{ readonly backlog: Backlog; readonly left: readonly MeasurementBatch[] }> {
    const { files, crypto, clock } = ports;
    const store = await DurableLog.open({
      files,
      clock,
      crypto,
      folder: BACKLOG_FOLDER,
      segmentBytes: SEGMENT_BYTES,
      capBytes: capBytes(),
    });
    const backlog = new Backlog(ports, store, await store.cursor("acknowledged"), capBytes);
    return { backlog, left: await backlog.#read() };
  }

  get sizeBytes(): number {
    return this.#store.sizeBytes;
  }

  /** Whether so many points more fit below the cap, beside those that are on their way here. */
  hasRoomFor(points: number): boolean {
    return this.sizeBytes + (this.#comingPoints + points) * POINT_BYTES <= this.#capBytes();
  }

  /** So many points were taken and will be kept. */
  coming(points: number): void {
    this.#comingPoints += points;
  }

  /**
   * Resolves when the batch is durable, in the place of one that had its name; false when the disk does not take it. Its
   * points were announced by `coming`.
   */
  async keep(batch: MeasurementBatch): Promise<boolean> {
    try {
      this.#store.configure({ capBytes: this.#capBytes() });
      const number = await this.#store.append(new TextEncoder().encode(JSON.stringify(batch)));
      this.#has(batch.batch, number);
      this.#complained = false;
      return true;
    } catch (failure) {
      this.#complain("readings are in memory alone until they are acknowledged: look at the disk", failure);
      return false;
    } finally {
      this.#comingPoints -= batch.points.length;
    }
  }

  settle(acknowledgement: Acknowledgement): void {
    for (const batch of acknowledgement.durable) this.#numbers.delete(batch);
    for (const { batch } of acknowledgement.refused) this.#numbers.delete(batch);
    if (this.#done > this.#cursor.done)
      this.#timer ??= this.#ports.clock.timer(NOTE_MS, () => {
        this.#timer = undefined;
        this.#noting = this.#note();
      });
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#noting;
    await this.#note();
    await this.#store.close();
  }

  /** Nobody needs a record up to here. */
  get #done(): number {
    const [oldest] = this.#numbers.values();
    return oldest === undefined ? this.#newest : oldest - 1;
  }

  #has(batch: string, number: number): void {
    // The map is in the order of the numbers.
    this.#numbers.delete(batch);
    this.#numbers.set(batch, number);
    this.#newest = number;
  }

  async #note(): Promise<void> {
    const done = this.#done;
    if (done <= this.#cursor.done) return;
    try {
      await this.#cursor.advance(done);
      await this.#store.free();
    } catch (failure) {
      this.#complain(
        "what was acknowledged cannot be noted, and is published again: look at the disk",
        failure,
      );
    }
  }

  async #read(): Promise<MeasurementBatch[]> {
    const left = new Map<string, MeasurementBatch>();
    let unreadable = 0;
    for await (const { records, gaps } of this.#store.read(this.#cursor.done + 1)) {
      for (const { first, last } of gaps) unreadable += last - first + 1;
      for (const { sequence, payload } of records) {
        const batch = parsed(payload);
        if (batch === undefined) unreadable++;
        else {
          this.#has(batch.batch, sequence);
          left.set(batch.batch, batch);
        }
      }
    }
    if (unreadable > 0)
      this.#ports.log.error("readings are lost: the disk damaged batches that were not acknowledged", {
        batches: unreadable,
      });
    return [...left.values()];
  }

  /** Once for each time that the disk refuses, not once a batch. */
  #complain(what: string, failure: unknown): void {
    if (!this.#complained) this.#ports.log.error(what, { reason: messageOf(failure) });
    this.#complained = true;
  }
}

function parsed(payload: Uint8Array): MeasurementBatch | undefined {
  try {
    return MeasurementBatch.safeParse(JSON.parse(new TextDecoder().decode(payload))).data;
  } catch {
    return undefined;
  }
}
