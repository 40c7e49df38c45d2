import type { Measurement } from "@coalmine/contract";
import { type Cursor, DurableLog } from "@coalmine/durable-log";
import type { Clock, Crypto, Files, Log } from "@coalmine/ports";
import { decodePoints, encodePoints, type PointColumns } from "./batch-record.ts";
import type { Config } from "./config.ts";
import type { UploaderHealth } from "./uploader-health.ts";
import type { Edge } from "./upload-plan.ts";

export type StreamName = "readings" | "alarms";

/** Each stream's log, and its share of the disk limit. Readings keep the folder that they always had. */
const places = {
  // The log's own overhead in a segment file leaves this much for one batch; 500 points take about 20 KiB.
  readings: { folder: "log", segmentBytes: 2 ** 20, share: 7 / 8 },
  alarms: { folder: "alarms", segmentBytes: 2 ** 18, share: 1 / 8 },
} as const;

/** Who is told of what happens to a log: each lane keeps its own plan of it. */
export interface Follower {
  appended(record: Edge, begins: boolean): void;
  overwritten(last: number): void;
}

export interface StreamParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly health: UploaderHealth;
  readonly config: () => Config;
}

/**
 * Points in one durable log. `readings` gives up its oldest where it is told to; `alarms` never gives any up: at its
 * limit it takes no more, and their publishers keep them.
 */
export class PointStream {
  readonly name: StreamName;
  readonly store: DurableLog;
  readonly #parts: StreamParts;
  readonly #followers: Set<Follower>;
  /** Of sinks that are gone; they must not hold the log. */
  readonly #retired = new Set<Cursor>();

  private constructor(name: StreamName, parts: StreamParts, store: DurableLog, followers: Set<Follower>) {
    this.name = name;
    this.#parts = parts;
    this.store = store;
    this.#followers = followers;
  }

  /**
   * Opens the stream's log. Whatever else the log can do, keys for encryption at rest, sealing by age, thinning out
   * the oldest, is handed to it here, out of the configuration.
   */
  static async open(name: StreamName, parts: StreamParts): Promise<PointStream> {
    const { files, clock, crypto, log, health, config } = parts;
    const { folder, segmentBytes } = places[name];
    const followers = new Set<Follower>();
    const store = await DurableLog.open({
      files,
      clock,
      crypto,
      folder,
      segmentBytes,
      ...limitsOf(name, config()),
      onOverwritten: ({ first, last, records }) => {
        health.count("overwrittenRecords", records);
        log.error("the oldest records were given up to make room", { stream: name, first, last });
        for (const follower of followers) follower.overwritten(last);
      },
      onDamaged: ({ segment, from, to, isKept }) =>
        log.warn("bytes of the log hold no record", { stream: name, segment, from, to, isKept }),
    });
    if (store.recovered.tornBytes > 0)
      log.info("a crash tore what was not acknowledged yet", {
        stream: name,
        tornBytes: store.recovered.tornBytes,
      });
    return new PointStream(name, parts, store, followers);
  }

  /** The cursor files of sinks that no configuration names any more would hold the log for ever. */
  static async forgetOthers(files: Files, name: StreamName, sinks: ReadonlySet<string>): Promise<void> {
    const { folder } = places[name];
    if (!(await files.list("")).includes(folder)) return;
    const others = (await files.list(folder)).filter(
      (file) => file.endsWith(CURSOR_ENDING) && !sinks.has(file.slice(0, -CURSOR_ENDING.length)),
    );
    for (const file of others) await files.remove(`${folder}/${file}`);
    if (others.length > 0) await files.syncFolder(folder);
  }

  follow(follower: Follower): { unfollow(cursor: Cursor): void } {
    this.#followers.add(follower);
    return {
      unfollow: (cursor) => {
        this.#followers.delete(follower);
        this.#retired.add(cursor);
      },
    };
  }

  /** Another sink of the same name takes its cursor up again. */
  reclaim(cursor: Cursor): void {
    this.#retired.delete(cursor);
  }

  /** Resolves when the points are durable, and every lane has them in its plan. */
  async append(points: readonly Measurement[], begins: boolean): Promise<void> {
    const payload = encodePoints(points);
    const sinceMs = this.#parts.clock.now();
    const last = await this.store.append(payload);
    const record = { last, points: points.length, bytes: payload.length, sinceMs };
    for (const follower of this.#followers) follower.appended(record, begins);
  }

  /** Sets limits anew: the configuration's, or less where the disk is fuller than it may be. */
  async fitDisk(): Promise<void> {
    const { config, files } = this.#parts;
    const limits = limitsOf(this.name, config());
    const floor = config().diskFreeFloorBytes;
    if (floor === 0 || this.name === "alarms") {
      this.store.configure(limits);
      return;
    }
    const spareBytes = (await files.freeBytes()) - floor - BOOKS_BYTES;
    const roomBytes = Math.max(0, this.store.sizeBytes + spareBytes);
    this.store.configure({ ...limits, capBytes: Math.min(limits.capBytes, roomBytes) });
  }

  /** The points of a range, record by record; what is missing is counted and told. */
  async *read(first: number, last: number): AsyncGenerator<PointColumns, void> {
    const { health, log } = this.#parts;
    for await (const chunk of this.store.read(first, last)) {
      for (const gap of chunk.gaps) {
        // What was given up to make room was told then.
        if (gap.last < this.store.first) continue;
        health.count("lostRecords", gap.last - gap.first + 1);
        log.error("records are missing in the log", {
          stream: this.name,
          first: gap.first,
          last: gap.last,
        });
      }
      for (const record of chunk.records) yield decodePoints(record.payload);
    }
  }

  /** Frees what every sink is done with. */
  async free(): Promise<void> {
    for (const cursor of this.#retired)
      if (cursor.done < this.store.last) await cursor.advance(this.store.last);
    await this.store.free();
  }
}

/** Checkpoints and cursors are written beside the logs. */
const BOOKS_BYTES = 131_072;
const CURSOR_ENDING = ".cursor";

function limitsOf(
  name: StreamName,
  { diskLimitBytes, whenFull }: Config,
): { capBytes: number; whenFull: "reject" | "overwrite-oldest" } {
  return {
    capBytes: Math.floor(diskLimitBytes * places[name].share),
    whenFull: name === "alarms" ? "reject" : whenFull,
  };
}
