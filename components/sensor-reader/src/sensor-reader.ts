import { Acknowledgement, type healthKeys, type InstrumentId } from "@coalmine/contract";
import { linkName, type LineConfig } from "@coalmine/instrument/lines";
import type { Link, Ports, Timer } from "@coalmine/ports";
import { invariant, messageOf, Outbox, type HealthReport } from "@coalmine/runtime";
import * as z from "zod";
import type { CalibrationHistory } from "./calibration-history.ts";
import type { Config } from "./config.ts";
import type { DeskOwner } from "./instrument-desk.ts";
import { Intake, type Finished } from "./intake.ts";
import type { MadeInstrument } from "./made-instrument.ts";
import { MadeInstruments, type MadesOwner } from "./made-instruments.ts";
import { ModbusSession } from "./modbus-session.ts";
import { PortKeeper, type Kept, type KeeperOwner } from "./port-keeper.ts";
import type { PortSession } from "./port-session.ts";
import { Session, type SessionOwner } from "./session.ts";
import { TextSession } from "./text-session.ts";
import { WallTime } from "./wall-time.ts";

export type Used = Pick<Ports, "clock" | "random" | "ipc" | "links" | "log" | "process" | "files" | "crypto">;

const Settled = z.compile(Acknowledgement);
/** How often a clock that was not set is looked at. */
const CLOCK_LOOK_MS = 1000;

/** How long one answer holds an update back; then the core device asks again. */
const DEFER_STEP_MS = 1000;

/** All ports, all instruments, and the one outbox of their readings. */
export class SensorReader implements KeeperOwner, SessionOwner, MadesOwner, DeskOwner {
  readonly clock: Used["clock"];
  readonly random: Used["random"];
  readonly links: Used["links"];
  readonly log: Used["log"];
  readonly counts: HealthReport<typeof healthKeys.sensorReader>;
  readonly config: () => Config;
  readonly wall: WallTime;
  readonly calibrations: CalibrationHistory;
  readonly #startedMs: number;
  readonly #outbox: Outbox;
  readonly #keepers = new Map<string, PortKeeper>();
  /** Ports that a test or a calibration has for the moment. */
  readonly #lent = new Set<string>();
  readonly #intakes = new Map<InstrumentId, Intake>();
  readonly #sessions = new Map<InstrumentId, Session>();
  readonly #made: MadeInstruments;
  readonly #open = new Set<PortSession>();
  readonly #publishTimers = new Map<InstrumentId, Timer>();
  #scanning: Promise<void> = Promise.resolve();
  #stopped = false;
  #clockTimer: Timer | undefined;
  #deferringSinceMs: number | undefined;

  constructor(
    ports: Used,
    counts: SensorReader["counts"],
    config: () => Config,
    calibrations: CalibrationHistory,
  ) {
    this.calibrations = calibrations;
    this.clock = ports.clock;
    this.random = ports.random;
    this.links = ports.links;
    this.log = ports.log;
    this.counts = counts;
    this.config = config;
    this.wall = new WallTime(ports.clock);
    this.#startedMs = ports.clock.monotonicMs();
    this.#outbox = new Outbox(ports, () => ({
      // The bound is the readings', one an instrument: every batch here holds readings that an intake counts.
      batchesMax: Number.MAX_SAFE_INTEGER,
      republishMs: config().republishSeconds * 1000,
      republishMaxMs: config().republishMaxSeconds * 1000,
    }));
    this.#made = new MadeInstruments(ports, this);
    if (!this.dates) this.#awaitClock();
  }

  get dates(): boolean {
    const waitedMs = this.clock.monotonicMs() - this.#startedMs;
    return this.wall.isSet || waitedMs >= 1000 * this.config().clockPatienceSeconds;
  }

  /** Readings taken and not yet acknowledged, of all instruments. */
  get unacknowledged(): number {
    const rings = [...this.#intakes.values()].reduce((sum, intake) => sum + intake.unacknowledged, 0);
    return rings + this.#made.unacknowledged;
  }
  get backlogBytes(): number {
    return this.#made.backlogBytes;
  }
  get portsOpen(): number {
    return this.#open.size;
  }

  /** How long the flow curve that is measured has been going on; 0 where none is. */
  get sampleMs(): number {
    const began = [...this.#sessions.values()].flatMap(({ curveBeganMs }) => curveBeganMs ?? []);
    return began.length === 0 ? 0 : passedMs(this.clock.monotonicMs() - Math.min(...began));
  }

  /** How long an update has been waiting for that curve; 0 where none waits. */
  get updateWaitsMs(): number {
    return this.#deferringSinceMs === undefined
      ? 0
      : passedMs(this.clock.monotonicMs() - this.#deferringSinceMs);
  }

  /** Brings the ports that are read in line with those that are wanted. One scan at a time. */
  scan(): Promise<void> {
    return (this.#scanning = this.#scanning.then(() => this.#scan()));
  }

  /** Other ports or another speed: each port is closed and opened again as configured now. */
  async reopen(): Promise<void> {
    this.#scanning = this.#scanning.then(() => this.#stopKeepers());
    await this.scan();
  }

  /** Closes a port that is read, has `act` use it, and reads it again. Refused while a flow curve is measured. */
  async lend<Result>(
    port: string,
    act: () => Promise<Result>,
  ): Promise<Result | { readonly refused: string }> {
    await this.#scanning;
    const keeper = this.#keepers.get(port);
    if (keeper === undefined)
      return {
        refused: `${port} is no port that is read; these are: ${[...this.#keepers.keys()].toSorted().join(", ") || "none"}`,
      };
    if ([...this.#sessions.values()].some((session) => session.port === port && session.isInCurve()))
      return { refused: `a flow curve is being measured on ${port}: ask again in a minute` };
    this.#lent.add(port);
    this.#keepers.delete(port);
    try {
      await keeper.stop();
      return await act();
    } finally {
      this.#lent.delete(port);
      await this.scan();
    }
  }

  acknowledged(message: unknown): void {
    const parsed = Settled.safeParse(message);
    if (!parsed.success) return;
    this.#outbox.settle(parsed.data);
    for (const { batch, reason } of parsed.data.refused)
      if (batch.startsWith("SensorReader:"))
        this.log.error("stream-uploader refused a batch for good", { batch, reason });
    this.counts.add("acknowledged", this.#made.settle(parsed.data));
    for (const [instrument, intake] of this.#intakes) {
      const readings = intake.settle(parsed.data);
      if (readings === 0) continue;
      this.counts.add("acknowledged", readings);
      this.#sessions.get(instrument)?.settled();
    }
  }

  /** How long an update should wait, in ms: while a curve is measured, but not for ever. */
  deferUpdate(): number {
    const nowMs = this.clock.monotonicMs();
    const inCurve = [...this.#sessions.values()].some((session) => session.isInCurve());
    this.#deferringSinceMs ??= nowMs;
    if (inCurve && nowMs - this.#deferringSinceMs < this.config().deferUpdateMaxSeconds * 1000)
      return DEFER_STEP_MS;
    this.updateIsOver();
    return 0;
  }

  /** It was made, or called off. */
  updateIsOver(): void {
    this.#deferringSinceMs = undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#publishTimers.values()) timer.cancel();
    this.#clockTimer?.cancel();
    await this.#scanning;
    await this.#stopKeepers();
    await this.#made.stop();
    this.#outbox.close();
  }

  adopt(instrument: InstrumentId, session: Session): Intake {
    const before = this.#sessions.get(instrument);
    this.#sessions.set(instrument, session);
    // Plugged into another port before the first one noticed.
    if (before !== undefined && before !== session)
      before.close(`${instrument} answers on ${session.port} now`);
    return this.#intakeOf(instrument);
  }

  made(instrument: InstrumentId): MadeInstrument {
    return this.#made.of(instrument);
  }

  publish({ name, points }: Finished): void {
    const offered = this.#outbox.offer(name, points);
    invariant(offered, `the outbox refused ${name}: its bound must be that of the unacknowledged readings`);
  }

  forming(intake: Intake): void {
    if (!intake.isForming || this.#publishTimers.has(intake.instrument)) return;
    const timer = this.clock.timer(this.config().batchSeconds * 1000, () => {
      this.#publishTimers.delete(intake.instrument);
      intake.publish();
    });
    this.#publishTimers.set(intake.instrument, timer);
  }

  opened(session: PortSession): void {
    this.#open.add(session);
  }
  closed(session: PortSession): void {
    this.#open.delete(session);
    for (const [instrument, of] of this.#sessions) if (of === session) this.#sessions.delete(instrument);
  }

  async #scan(): Promise<void> {
    if (this.#stopped) return;
    try {
      const wanted = await this.#wanted();
      const present = await this.links.list();
      for (const [id, kept] of wanted)
        if (!this.#keepers.has(id) && !this.#lent.has(id))
          this.#keepers.set(id, new PortKeeper(id, kept, this));
      for (const [id, keeper] of this.#keepers) {
        if (wanted.has(id)) {
          if (present.some((port) => port.id === id || port.aliases?.includes(id) === true)) keeper.hurry();
          continue;
        }
        this.#keepers.delete(id);
        await keeper.stop();
      }
    } catch (failure) {
      this.log.error("the ports cannot be brought in line; the next scan tries again", {
        reason: messageOf(failure),
      });
    }
  }

  /** Every port that is to be read, by its id: the lines' own, and those of framed instruments. */
  async #wanted(): Promise<ReadonlyMap<string, Kept>> {
    const { ports, baudRate, lines } = this.config();
    const wanted = new Map<string, Kept>();
    await this.#made.open(lines.length > 0);
    for (const line of lines)
      wanted.set(linkName(line.link), {
        target: line.link,
        session: (link) => this.#lineSession(link, line),
      });
    const taken = (id: string, aliases: readonly string[] = []) =>
      [id, ...aliases].some((name) => wanted.has(name));
    const listed = ports === "all" ? await this.links.list() : ports.map((id) => ({ id, aliases: [] }));
    for (const { id } of listed.filter((port) => !taken(port.id, port.aliases)))
      wanted.set(id, {
        target: { kind: "serial", id, baudRate },
        session: (link) => new Session(id, link, this),
      });
    return wanted;
  }

  #lineSession(link: Link, line: LineConfig): PortSession {
    const port = linkName(line.link);
    return line.kind === "modbus"
      ? new ModbusSession(port, link, line, this)
      : new TextSession(port, link, line, this);
  }

  #intakeOf(instrument: InstrumentId): Intake {
    const known = this.#intakes.get(instrument);
    if (known !== undefined) return known;
    const intake = new Intake(instrument, (batch) => {
      const publish = () => {
        this.publish(batch);
        this.counts.add("published", batch.readings);
      };
      // Nobody is told of a point whose calibration may be forgotten.
      if (this.calibrations.pending === undefined) publish();
      else void this.calibrations.pending.then(publish);
    });
    this.#intakes.set(instrument, intake);
    return intake;
  }

  /** Readings wait for the clock to be set: it is looked at until it is, or until waiting is over. */
  #awaitClock(): void {
    this.#clockTimer = this.clock.timer(CLOCK_LOOK_MS, () => {
      if (!this.dates) return this.#awaitClock();
      this.#made.dateAll();
      for (const session of this.#sessions.values()) session.settled();
    });
  }

  async #stopKeepers(): Promise<void> {
    const keepers = [...this.#keepers.values()];
    this.#keepers.clear();
    await Promise.all(keepers.map((keeper) => keeper.stop()));
  }
}

/** What has just begun is not nothing. */
function passedMs(ms: number): number {
  return Math.max(1, Math.round(ms));
}
