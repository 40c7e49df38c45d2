import type { Clock, Crypto, Files, Instant } from "@coalmine/ports";
import type { Gap, LogRecord } from "./frame.ts";
import type { LogKeys } from "./segment-cipher.ts";

/** Records that were given up before every reader was done with them. */
export interface Loss extends Gap {
  /** How many of the range that are; the others were missing already, or nobody wants them any more. */
  readonly records: number;
  /** Each of them that could be opened, in order; none where the log has no `weigh`. */
  readonly weighed: readonly Weighed[];
}

export interface Weighed {
  readonly sequence: number;
  /** By the log's `weigh`. */
  readonly weight: number;
  readonly payloadBytes: number;
}

/** Bytes that are no frame where frames should be. */
export interface Damage {
  /** The segment's first number. */
  readonly segment: number;
  /** Of the segment's file; `to` is excluded. */
  readonly from: number;
  readonly to: number;
  /** Whether the bytes lie in the quarantine folder now. */
  readonly isKept: boolean;
}

/** At the cap, and when the disk is full. */
export type WhenFull =
  /** Refuse new records. */
  | "reject"
  /** Give up the oldest segment. */
  | "overwrite-oldest"
  /** Thin out the oldest segments, each once, as `keep` decides; then give up the oldest. */
  | "downsample-oldest";

/** What may change while the log is open. */
export interface LogLimits {
  /** All segments together; 1 GiB by default. */
  readonly capBytes: number;
  readonly whenFull: WhenFull;
  /** A segment whose newest record is older is given up; never by default. By the device's clock, which may jump. */
  readonly ttlMs: number;
  /** What was appended before this instant was appended by a clock that was not set, and has no known age. */
  readonly agesFromMs: Instant;
  /** A segment is sealed at this age; never by default. */
  readonly sealAfterMs: number;
  /** Encrypts new segments and opens old ones. */
  readonly keys: LogKeys;
}

export interface DurableLogOptions extends Partial<LogLimits> {
  readonly files: Files;
  readonly clock: Pick<Clock, "now">;
  readonly crypto: Crypto;
  /** The log's own folder, inside the work folder. */
  readonly folder: string;
  /** A segment is sealed before it grows beyond this. 1 MiB by default. */
  readonly segmentBytes?: number;
  /** Whether a record stays when its segment is thinned out; `index` counts the segment's records. All go by default. */
  readonly keep?: (record: LogRecord, index: number) => boolean;
  /** What a record counts for when it is given up. With it a segment is read before it goes. */
  readonly weigh?: (record: LogRecord) => number;
  /** Told of records that were given up because there was no room for them. */
  readonly onOverwritten?: (lost: Loss) => void;
  readonly onThinned?: (lost: Loss) => void;
  readonly onExpired?: (lost: Loss) => void;
  /** Told once of each damaged place that opening or reading comes upon. */
  readonly onDamaged?: (damage: Damage) => void;
}

/** What an open log goes by: the options with every limit decided. */
export type OpenOptions = DurableLogOptions & LogLimits & { readonly segmentBytes: number };

export const defaults: LogLimits & { readonly segmentBytes: number } = {
  segmentBytes: 2 ** 20,
  capBytes: 2 ** 30,
  whenFull: "reject",
  ttlMs: Infinity,
  agesFromMs: -Infinity,
  sealAfterMs: Infinity,
  keys: { known: new Map() },
};
