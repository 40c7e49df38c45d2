import type { Measurement } from "@coalmine/contract";
import { DurableLog, type LogKeys, type LogLimits, type Loss } from "@coalmine/durable-log";
import type { Clock, Crypto, Files, Log } from "@coalmine/ports";
import { decodePoints, encodePoints, glance, type PointColumns } from "./batch-record.ts";
import type { Config } from "./config.ts";
import type { UploaderHealth } from "./uploader-health.ts";
import { CLOCK_WAS_SET_MS, type Edge } from "./upload-plan.ts";

export type StreamName = "readings" | "alarms";

/** Each stream's log, and its share of the disk limit. Readings keep the folder that they always had. */
const places = {
  // The log's own overhead in a segment file leaves this much for one batch; 500 points take about 20 KiB.
  readings: { folder: "log", segmentBytes: 2 ** 20, share: 7 / 8 },
  alarms: { folder: "alarms", segmentBytes: 2 ** 18, share: 1 / 8 },
} as const;

/** Why the log gave records up before every sink had them. */
export type LossCause = "overwritten" | "downsampled" | "expired";

const lossSentence: Readonly<Record<LossCause, string>> = {
  overwritten: "the oldest records were given up to make room",
  downsampled: "the oldest records were thinned out to make room",
  expired: "records grew too old, and were given up",
};

/** Who is told of what happens to a log: each lane keeps its own plan of it. */
export interface Follower {
  appended(record: Edge, begins: boolean): void;
  lost(cause: LossCause, loss: Loss): void;
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

  private constructor(name: StreamName, parts: StreamParts, store: DurableLog, followers: Set<Follower>) {
    this.name = name;
    this.#parts = parts;
    this.store = store;
    this.#followers = followers;
  }

  /** Opens the stream's log. It opens without keys; `useKeys` hands them in before anything is read or appended. */
  static async open(name: StreamName, parts: StreamParts): Promise<PointStream> {
    const { files, clock, crypto, log, health, config } = parts;
    const { folder, segmentBytes } = places[name];
    const followers = new Set<Follower>();
    const tell = (cause: LossCause, loss: Loss): void => {
      const { first, last, records } = loss;
      if (cause === "overwritten") health.count("overwrittenRecords", records);
      log[cause === "expired" ? "warn" : "error"](lossSentence[cause], {
        stream: name,
        first,
        last,
        records,
      });
      for (const follower of followers) follower.lost(cause, loss);
    };
    const store = await DurableLog.open({
      files,
      clock,
      crypto,
      folder,
      segmentBytes,
      ...limitsOf(name, config()),
      agesFromMs: CLOCK_WAS_SET_MS,
      keep: ({ payload }, index) => index % config().downsampleKeepOneIn === 0 || glance(payload).isComputed,
      weigh: ({ payload }) => glance(payload).points,
      onOverwritten: (loss) => tell("overwritten", loss),
      onThinned: (loss) => tell("downsampled", loss),
      onExpired: (loss) => tell("expired", loss),
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

  follow(follower: Follower): { unfollow(): void } {
    this.#followers.add(follower);
    return { unfollow: () => void this.#followers.delete(follower) };
  }

  /** Encrypts from now on, and opens what is encrypted. */
  useKeys(keys: LogKeys): void {
    this.store.configure({ keys });
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
    const { diskFreeFloorBytes, whenFull } = config();
    const floor = Math.max(diskFreeFloorBytes, whenFull === "downsample-oldest" ? THINNING_BYTES : 0);
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
        if (gap.last < this.store.first || gap.isThinned === true) continue;
        health.count("lostRecords", gap.last - gap.first + 1);
        log.error("records are missing in the log", {
          stream: this.name,
          first: gap.first,
          last: gap.last,
          ...(gap.why === undefined ? {} : { why: gap.why }),
        });
      }
      for (const record of chunk.records) yield decodePoints(record.payload);
    }
  }

  /** Frees what every sink is done with. */
  async free(): Promise<void> {
    await this.store.free();
  }

  /** What time alone brings about. To be called now and then. */
  async tend(): Promise<void> {
    const { timeToLiveSeconds, sealAfterSeconds } = this.#parts.config();
    if (timeToLiveSeconds !== undefined || sealAfterSeconds !== undefined) await this.store.tend();
  }
}

/** Checkpoints and cursors are written beside the logs. */
const BOOKS_BYTES = 131_072;
/** A segment is thinned out beside itself, while another begins. */
const THINNING_BYTES = 2 * places.readings.segmentBytes;

function limitsOf(
  name: StreamName,
  { diskLimitBytes, whenFull, timeToLiveSeconds, sealAfterSeconds }: Config,
): Partial<LogLimits> & Pick<LogLimits, "capBytes"> {
  const ms = (seconds: number | undefined): number => (seconds === undefined ? Infinity : seconds * 1000);
  return {
    capBytes: Math.floor(diskLimitBytes * places[name].share),
    whenFull: name === "alarms" ? "reject" : whenFull,
    ttlMs: ms(timeToLiveSeconds),
    sealAfterMs: ms(sealAfterSeconds),
  };
}
