import type { Acknowledgement, InstrumentId } from "@coalmine/contract";
import type { Timer } from "@coalmine/ports";
import { invariant } from "@coalmine/runtime";
import { Backlog, BACKLOG_FOLDER, type BacklogPorts } from "./backlog.ts";
import type { Config } from "./config.ts";
import type { Finished } from "./intake.ts";
import { MadeInstrument, type MadeOwner } from "./made-instrument.ts";
import { countStart } from "./starts.ts";

export interface MadesOwner extends MadeOwner {
  config(): Config;
  publish(batch: Finished): void;
}

/**
 * All instruments without a memory of their own, and the disk that remembers for them: what gathers for `batchSeconds` is
 * stored by one sync, then published, and stays until it is acknowledged.
 */
export class MadeInstruments {
  readonly #ports: BacklogPorts;
  readonly #owner: MadesOwner;
  readonly #known = new Map<InstrumentId, MadeInstrument>();
  #open: { readonly start: number; readonly backlog: Backlog } | undefined;
  #isEmpty: boolean | undefined;
  #timer: Timer | undefined;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(ports: BacklogPorts, owner: MadesOwner) {
    this.#ports = ports;
    this.#owner = owner;
  }

  get unacknowledged(): number {
    return [...this.#known.values()].reduce((sum, { intake }) => sum + intake.unacknowledged, 0);
  }
  get backlogBytes(): number {
    return this.#open?.backlog.sizeBytes ?? 0;
  }

  /** Before the first is asked for. Publishes what earlier lives left, also where no line is wanted any more. */
  async open(isWanted: boolean): Promise<void> {
    if (this.#open !== undefined) return;
    if (!isWanted && (await this.#hasNothing())) return;
    const start = await countStart(this.#ports);
    const { backlog, left } = await Backlog.open(
      this.#ports,
      () => this.#owner.config().backlogMiB * 2 ** 20,
    );
    this.#open = { start, backlog };
    for (const { batch, points } of left) {
      const readings = new Set(points.map(({ sequence }) => sequence)).size;
      const last = points.at(-1);
      if (last === undefined) continue;
      this.#owner.counts.add("restored", readings);
      this.of(last.instrument).intake.restore(batch, last, readings);
      this.#owner.publish({ name: batch, points, readings });
    }
  }

  /** No life left anything. What is not there now is made by `open` alone. */
  async #hasNothing(): Promise<boolean> {
    return (this.#isEmpty ??= !(await this.#ports.files.list("")).includes(BACKLOG_FOLDER));
  }

  of(id: InstrumentId): MadeInstrument {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const open = this.#open;
    invariant(open !== undefined, "the backlog is opened before a line is");
    const { start, backlog } = open;
    const made = new MadeInstrument(id, start, this.#owner, {
      hasRoomFor: (points) => backlog.hasRoomFor(points),
      coming: (points) => {
        backlog.coming(points);
        this.#publishSoon();
      },
      keep: (batch, held) => {
        this.#keeping = Promise.all([this.#keeping, this.#keep(backlog, batch, held)]);
      },
    });
    this.#known.set(id, made);
    return made;
  }

  /** How many readings stream-uploader is done with. */
  settle(acknowledgement: Acknowledgement): number {
    this.#open?.backlog.settle(acknowledgement);
    return [...this.#known.values()].reduce((sum, { intake }) => sum + intake.settle(acknowledgement), 0);
  }

  dateAll(): void {
    for (const made of this.#known.values()) made.dateAll();
  }

  /** Everything that has gathered is on disk when this resolves. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    for (const { intake } of this.#known.values()) intake.publish();
    await this.#keeping;
    await this.#open?.backlog.close();
  }

  async #keep(backlog: Backlog, batch: Finished, held: boolean): Promise<void> {
    const isKept = await backlog.keep({ version: 1, batch: batch.name, points: [...batch.points] });
    if (held) return;
    if (!isKept) this.#owner.counts.add("unkept", batch.readings);
    this.#owner.counts.add("published", batch.readings);
    this.#owner.publish(batch);
  }

  /** All instruments at the same instants, so that one sync serves them. */
  #publishSoon(): void {
    const { clock } = this.#owner;
    const batchMs = 1000 * this.#owner.config().batchSeconds;
    this.#timer ??= clock.timer(batchMs - (clock.monotonicMs() % batchMs), () => {
      this.#timer = undefined;
      for (const { intake } of this.#known.values()) intake.publish();
    });
  }
}
