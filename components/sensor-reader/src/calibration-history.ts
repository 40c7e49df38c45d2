import { InstrumentId } from "@coalmine/contract";
import { DurableLog } from "@coalmine/durable-log";
import { CalibrationCurve, comparePositions, type Position } from "@coalmine/instrument";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { BacklogPorts } from "./backlog.ts";

const FOLDER = "calibrations";
/** Some hundred curves; then the oldest are forgotten. */
const CAP_BYTES = 256 * 1024;
const SEGMENT_BYTES = 64 * 1024;
/** Versions and beginnings in memory. */
const KEPT_MAX = 200;

const Version = z.object({ kind: z.literal("version"), sinceMs: z.number(), curve: CalibrationCurve });
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

  /** From now on this curve is in force. */
  enter(curve: CalibrationCurve): void {
    const current = this.#versions.at(-1);
    if (current !== undefined && JSON.stringify(current.curve) === JSON.stringify(curve)) return;
    // A version's time is its name: two never have the same, also after the clock was set back.
    const sinceMs = Math.max(this.#ports.clock.now(), (current?.sinceMs ?? -Infinity) + 1);
    this.#add({ kind: "version", sinceMs, curve });
  }

  /** What was in force when this reading was sampled. */
  curveOf(instrument: InstrumentId, at: Position, sampledMs: number): CalibrationCurve {
    const beginnings = this.#beginnings.get(instrument) ?? [];
    const began = beginnings.findLast((beginning) => comparePositions(beginning, at) <= 0);
    const earlier = this.#versions.find(({ sinceMs }) => sinceMs === began?.versionSinceMs);
    // Something later has begun already: no new version can begin here.
    if (earlier !== undefined && began !== beginnings.at(-1)) return earlier.curve;
    const atTime = this.#versions.findLast(({ sinceMs }) => sinceMs <= sampledMs) ?? this.#versions[0];
    const version = [atTime, earlier].reduce((a, b) =>
      b !== undefined && b.sinceMs > (a?.sinceMs ?? 0) ? b : a,
    );
    if (version === undefined) throw new Error("a history has at least the version it was opened with");
    if (version !== earlier && (beginnings.length === 0 || began !== undefined))
      this.#add({ kind: "beginning", instrument, ...at, versionSinceMs: version.sinceMs });
    return version.curve;
  }

  async close(): Promise<void> {
    await this.#pending;
    await this.#store?.close();
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
      if (this.#versions.length > KEPT_MAX) this.#versions.shift();
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
