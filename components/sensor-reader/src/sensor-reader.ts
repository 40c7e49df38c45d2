import { Acknowledgement, type healthKeys, type InstrumentId } from "@coalmine/contract";
import type { Ports, Timer } from "@coalmine/ports";
import { messageOf, Outbox, type HealthReport } from "@coalmine/runtime";
import type { Config } from "./config.ts";
import { Intake } from "./intake.ts";
import { PortKeeper, type KeeperOwner } from "./port-keeper.ts";
import type { Session } from "./session.ts";

export type Used = Pick<Ports, "clock" | "random" | "ipc" | "links" | "log" | "process">;

/** How long one answer holds an update back; then the core device asks again. */
const DEFER_STEP_MS = 1000;

/** All ports, all instruments, and the one outbox of their readings. */
export class SensorReader implements KeeperOwner {
  readonly clock: Used["clock"];
  readonly random: Used["random"];
  readonly links: Used["links"];
  readonly log: Used["log"];
  readonly counts: HealthReport<typeof healthKeys.sensorReader>;
  readonly config: () => Config;
  readonly #outbox: Outbox;
  readonly #keepers = new Map<string, PortKeeper>();
  readonly #intakes = new Map<InstrumentId, Intake>();
  readonly #sessions = new Map<InstrumentId, Session>();
  readonly #open = new Set<Session>();
  readonly #publishTimers = new Map<InstrumentId, Timer>();
  #scanning: Promise<void> = Promise.resolve();
  #stopped = false;
  #deferringSinceMs: number | undefined;

  constructor(ports: Used, counts: SensorReader["counts"], config: () => Config) {
    this.clock = ports.clock;
    this.random = ports.random;
    this.links = ports.links;
    this.log = ports.log;
    this.counts = counts;
    this.config = config;
    this.#outbox = new Outbox(ports, () => ({
      // The bound is the readings', one an instrument: every batch here holds readings that an intake counts.
      batchesMax: Number.MAX_SAFE_INTEGER,
      republishMs: config().republishSeconds * 1000,
      republishMaxMs: config().republishMaxSeconds * 1000,
    }));
  }

  /** Readings taken and not yet acknowledged, of all instruments. */
  get unacknowledged(): number {
    return [...this.#intakes.values()].reduce((sum, intake) => sum + intake.unacknowledged, 0);
  }
  get portsOpen(): number {
    return this.#open.size;
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

  acknowledged(message: unknown): void {
    const parsed = Acknowledgement.safeParse(message);
    if (!parsed.success) return;
    this.#outbox.settle(parsed.data);
    for (const { batch, reason } of parsed.data.refused)
      if (batch.startsWith("SensorReader:"))
        this.log.error("stream-uploader refused a batch for good", { batch, reason });
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
    this.#deferringSinceMs = undefined;
    return 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#publishTimers.values()) timer.cancel();
    await this.#scanning;
    await this.#stopKeepers();
    this.#outbox.close();
  }

  adopt(instrument: InstrumentId, session: Session): Intake {
    const before = this.#sessions.get(instrument);
    this.#sessions.set(instrument, session);
    // Plugged into another port before the first one noticed.
    if (before !== undefined && before !== session)
      before.close(`${instrument} answers on ${session.port} now`);
    const known = this.#intakes.get(instrument);
    if (known !== undefined) return known;
    const intake = new Intake(instrument, {
      offer: (batch, points) => this.#outbox.offer(batch, points),
      published: (readings) => this.counts.add("published", readings),
    });
    this.#intakes.set(instrument, intake);
    return intake;
  }

  forming(intake: Intake): void {
    if (!intake.isForming || this.#publishTimers.has(intake.instrument)) return;
    const timer = this.clock.timer(this.config().batchSeconds * 1000, () => {
      this.#publishTimers.delete(intake.instrument);
      intake.publish();
    });
    this.#publishTimers.set(intake.instrument, timer);
  }

  opened(session: Session): void {
    this.#open.add(session);
  }
  closed(session: Session): void {
    this.#open.delete(session);
    for (const [instrument, of] of this.#sessions) if (of === session) this.#sessions.delete(instrument);
  }

  async #scan(): Promise<void> {
    if (this.#stopped) return;
    try {
      const { ports } = this.config();
      const present = (await this.links.list()).map(({ id }) => id);
      const wanted = new Set(ports === "all" ? present : ports);
      for (const id of wanted) if (!this.#keepers.has(id)) this.#keepers.set(id, new PortKeeper(id, this));
      for (const [id, keeper] of this.#keepers) {
        if (wanted.has(id)) {
          if (present.includes(id)) keeper.hurry();
          continue;
        }
        this.#keepers.delete(id);
        await keeper.stop();
      }
    } catch (failure) {
      this.log.error("the ports cannot be listed; the next scan tries again", { reason: messageOf(failure) });
    }
  }

  async #stopKeepers(): Promise<void> {
    const keepers = [...this.#keepers.values()];
    this.#keepers.clear();
    await Promise.all(keepers.map((keeper) => keeper.stop()));
  }
}
