import { InstrumentId } from "@coalmine/contract";
import { DurableLog } from "@coalmine/durable-log";
import { CalibrationCurve, comparePositions, type Position } from "@coalmine/instrument";
import { CalibrationRecord } from "@coalmine/instrument/guided-calibration/guided-calibration";
import { invariant, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { BacklogPorts } from "./backlog.ts";

const FOLDER = "calibrations";
/** Some hundred curves; then the oldest are forgotten. */
const CAP_BYTES = 256 * 1024;
const SEGMENT_BYTES = 64 * 1024;
/** Versions and beginnings in memory. */
const KEPT_MAX = 200;

const Version = z.object({
  kind: z.literal("version"),
  sinceMs: z.number(),
  curve: CalibrationCurve,
  /** Of a curve that was made here: it is its instrument's alone. Without, the configuration's: it is everybody's. */
  record: CalibrationRecord.optional(),
});
/** The first reading of an instrument that a version made: decided once, whatever its time is taken for later. */
const Beginning = z.object({
  kind: z.literal("beginning"),
  instrument: InstrumentId,
  boot: z.int().nonnegative(),
  sequence: z.int().nonnegative(),
  versionSinceMs: z.number(),
});
const Entry = z.discriminatedUnion("kind", [Version, Beginning]);
type Entry = z.infer<typeof Entry>;
type Version = z.infer<typeof Version>;

/**
 * Which calibration was in force when, and from which reading of each instrument on, in the reader's own work folder: a
 * reading that comes late or again is made by the curve of its time, and every curve stays to be read by its id.
 */
export class CalibrationHistory {
  readonly #ports: BacklogPorts;
  #store: DurableLog | undefined;
  readonly #versions: Version[] = [];
  readonly #beginnings = new Map<InstrumentId, z.infer<typeof Beginning>[]>();
  #pending: Promise<void> | undefined;

  private constructor(ports: BacklogPorts) {
    this.#ports = ports;
  }

  /** Without a disk it goes on from memory, and says so. */
  static async open(ports: BacklogPorts, curve: CalibrationCurve): Promise<CalibrationHistory> {
    const history = new CalibrationHistory(ports);
    try {
      await history.#read();
    } catch (failure) {
      history.#complain(failure);
    }
    history.enter(curve);
    await history.#pending;
    return history;
  }

  /** Not undefined while something that points rest on is not on disk yet; never rejects. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /** From now on the configuration's curve is this, for every instrument, also one that was calibrated here. */
  enter(curve: CalibrationCurve): void {
    const current = this.#versions.findLast(({ record }) => record === undefined);
    if (current !== undefined && JSON.stringify(current.curve) === JSON.stringify(curve)) return;
    this.#addVersion(curve);
  }

  /** From now on a calibration made here is in force for its instrument; on disk when this resolves. */
  async record(record: CalibrationRecord): Promise<void> {
    this.#addVersion(record.curve, record);
    await this.#pending;
  }

  /** All calibrations of an instrument that were made here, oldest first. */
  recordsOf(instrument: InstrumentId): readonly CalibrationRecord[] {
    return this.#versions.flatMap(({ record }) => (record?.instrument === instrument ? [record] : []));
  }
  currentOf(instrument: InstrumentId): CalibrationCurve {
    return this.#versionsOf(instrument).at(-1)?.curve ?? this.configured;
  }
  get configured(): CalibrationCurve {
    const version = this.#versions.findLast(({ record }) => record === undefined);
    invariant(version !== undefined, "a history has at least the version it was opened with");
    return version.curve;
  }

  /** What was in force when this reading was sampled. */
  curveOf(instrument: InstrumentId, at: Position, sampledMs: number): CalibrationCurve {
    const beginnings = this.#beginnings.get(instrument) ?? [];
    const began = beginnings.findLast((beginning) => comparePositions(beginning, at) <= 0);
    const versions = this.#versionsOf(instrument);
    const earlier = versions.find(({ sinceMs }) => sinceMs === began?.versionSinceMs);
    // Something later has begun already: no new version can begin here.
    if (earlier !== undefined && began !== beginnings.at(-1)) return earlier.curve;
    const atTime = versions.findLast(({ sinceMs }) => sinceMs <= sampledMs) ?? versions[0];
    const version = [atTime, earlier].reduce((a, b) =>
      b !== undefined && b.sinceMs > (a?.sinceMs ?? 0) ? b : a,
    );
    invariant(version !== undefined, "a history has at least the version it was opened with");
    if (version !== earlier && (beginnings.length === 0 || began !== undefined))
      this.#add({ kind: "beginning", instrument, ...at, versionSinceMs: version.sinceMs });
    return version.curve;
  }

  async close(): Promise<void> {
    await this.#pending;
    await this.#store?.close();
  }

  #versionsOf(instrument: InstrumentId): readonly Version[] {
    return this.#versions.filter(({ record }) => record === undefined || record.instrument === instrument);
  }

  #addVersion(curve: CalibrationCurve, record?: CalibrationRecord): void {
    // A version's time is its name: two never have the same, also after the clock was set back.
    const sinceMs = Math.max(this.#ports.clock.now(), (this.#versions.at(-1)?.sinceMs ?? -Infinity) + 1);
    this.#add({ kind: "version", sinceMs, curve, ...(record === undefined ? {} : { record }) });
  }

  #add(entry: Entry): void {
    this.#take(entry);
    const store = this.#store;
    if (store === undefined) return;
    const stored = Promise.all([
      this.#pending,
      store.append(new TextEncoder().encode(JSON.stringify(entry))),
    ]).then(
      () => undefined,
      (failure: unknown) => this.#complain(failure),
    );
    const pending: Promise<void> = stored.then(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    this.#pending = pending;
  }

  #take(entry: Entry): void {
    if (entry.kind === "version") {
      this.#versions.push(entry);
      if (this.#versions.length > KEPT_MAX) {
        // The configuration's own curve stays, however often instruments were calibrated since.
        const configured = this.#versions.findLastIndex(({ record }) => record === undefined);
        this.#versions.splice(configured === 0 ? 1 : 0, 1);
      }
      return;
    }
    const beginnings = this.#beginnings.get(entry.instrument) ?? [];
    this.#beginnings.set(entry.instrument, beginnings);
    beginnings.push(entry);
    if (beginnings.length > KEPT_MAX) beginnings.shift();
  }

  async #read(): Promise<void> {
    const { files, clock, crypto } = this.#ports;
    const store = await DurableLog.open({
      files,
      clock,
      crypto,
      folder: FOLDER,
      segmentBytes: SEGMENT_BYTES,
      capBytes: CAP_BYTES,
      whenFull: "overwrite-oldest",
    });
    for await (const { records } of store.read(store.first))
      for (const { payload } of records) {
        const entry = Entry.safeParse(JSON.parse(new TextDecoder().decode(payload)));
        if (entry.success) this.#take(entry.data);
      }
    this.#store = store;
  }

  #complain(failure: unknown): void {
    this.#ports.log.error(
      "the history of calibrations is not on disk: after a restart, late readings get today's; look at the disk",
      { reason: messageOf(failure) },
    );
  }
}
