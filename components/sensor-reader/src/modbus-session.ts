import { judge, missing } from "@coalmine/instrument";
import {
  mannersOf,
  pointItem,
  type ModbusInstrument,
  type ModbusLine,
  type ModbusPoint,
} from "@coalmine/instrument/lines";
import {
  ILLEGAL_ADDRESS,
  ILLEGAL_VALUE,
  modbusMaster,
  Planner,
  readNumber,
  type Block,
  type ModbusMaster,
} from "@coalmine/modbus";
import type { Clock, Link } from "@coalmine/ports";
import { Waiting } from "@coalmine/runtime";
import type { Counts } from "./counts.ts";
import type { MadeInstrument, Sampled } from "./made-instrument.ts";
import type { PortSession } from "./port-session.ts";

/** So many readings in a row of all instruments without one answer, and the link is opened anew. */
const SILENT_MAX = 3;

type Item = ReturnType<typeof pointItem>;

/** One open link with Modbus slaves on it, each read on its own schedule. */
export class ModbusSession implements PortSession {
  readonly port: string;
  readonly #line: ModbusLine;
  readonly #master: ModbusMaster;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #made: (instrument: ModbusInstrument) => MadeInstrument;
  #silent = 0;
  hasRead = false;

  constructor(
    port: string,
    link: Link,
    line: ModbusLine,
    owner: {
      readonly clock: Clock;
      readonly counts: Counts;
      made(id: ModbusInstrument["id"]): MadeInstrument;
    },
  ) {
    this.port = port;
    this.#line = line;
    this.#clock = owner.clock;
    this.#counts = owner.counts;
    this.#made = (instrument) => owner.made(instrument.id);
    this.#master = modbusMaster(line.framing, link, owner.clock, mannersOf(line));
  }

  async run(): Promise<string> {
    const wakes: Waiting[] = [];
    this.#master.onEnd(() => {
      for (const wait of wakes) wait.wake();
    });
    await Promise.all(
      this.#line.instruments.map((instrument) => {
        const wait = new Waiting(this.#clock);
        wakes.push(wait);
        return this.#poll(instrument, wait);
      }),
    );
    await this.#master.close("closed by the reader");
    this.#counts.add("lateReplies", this.#master.counts.lateReplies);
    return this.#master.ended ?? "closed by the reader";
  }

  close(why: string): void {
    void this.#master.close(why);
  }

  async #poll(instrument: ModbusInstrument, wait: Waiting): Promise<void> {
    const made = this.#made(instrument);
    const schedule = made.schedule(1000 * instrument.periodSeconds);
    const planner = new Planner(instrument.points.map(pointItem), instrument);
    for (;;) {
      const waitMs = schedule.waitMs(this.#clock.monotonicMs());
      if (waitMs > 0) await wait.atMost(waitMs);
      if (this.#master.ended !== undefined) return;
      const missed = schedule.take(this.#clock.monotonicMs());
      const reading = made.admits(instrument.points.length)
        ? await new Reading(this.#master, instrument.unit, planner, this.#counts).read()
        : undefined;
      // Counted when it is over, so that the counters add up at any moment.
      this.#counts.add("ticks", missed + 1);
      this.#counts.add("missedTicks", missed);
      // A reading that fails as a whole is a tick that was missed: no points are made up for it.
      if (reading === undefined || !reading.isAnswered) this.#counts.add("missedTicks");
      else
        made.take(instrument.points.map((point) => reading.sampled(point, made, this.#clock.monotonicMs())));
      if (reading !== undefined) this.#noted(reading.isAnswered);
    }
  }

  #noted(isAnswered: boolean): void {
    if (isAnswered) {
      this.hasRead = true;
      this.#silent = 0;
    } else if (
      ++this.#silent >= SILENT_MAX * this.#line.instruments.length &&
      this.#master.ended === undefined
    )
      this.close("no slave answers");
  }
}

/** The answers to all requests of one tick. */
class Reading {
  readonly #master: ModbusMaster;
  readonly #unit: number;
  readonly #planner: Planner<Item>;
  readonly #counts: Counts;
  readonly #raw = new Map<
    ModbusPoint,
    { readonly raw: number; readonly atMs: number; readonly uncertaintyMs: number }
  >();
  readonly #failed = new Map<ModbusPoint, "instrument" | "stale" | "gap">();
  isAnswered = false;

  constructor(master: ModbusMaster, unit: number, planner: Planner<Item>, counts: Counts) {
    this.#master = master;
    this.#unit = unit;
    this.#planner = planner;
    this.#counts = counts;
  }

  async read(): Promise<this> {
    for (const block of this.#planner.blocks) {
      await this.#ask(block);
      // Silence to the first question: the others would only take everybody's time.
      if (!this.isAnswered && [...this.#failed.values()].includes("stale")) break;
    }
    return this;
  }

  sampled(point: ModbusPoint, made: MadeInstrument, nowMs: number): Sampled {
    const answer = this.#raw.get(point);
    const last = made.last(point.channel);
    if (answer === undefined) {
      const judged = missing(point, last, this.#failed.get(point) ?? "stale");
      return { channel: point, judged, atMs: nowMs, uncertaintyMs: 0 };
    }
    return { channel: point, judged: judge(point, answer.raw, last), ...answer };
  }

  async #ask(block: Block<Item>): Promise<void> {
    const { items, ...range } = block;
    const outcome = await this.#master.read({ unit: this.#unit, ...range });
    if (outcome.kind === "no-reply") {
      const isDamaged = outcome.why === "damaged";
      this.#counts.add(isDamaged ? "framesRefused" : "timeouts");
      for (const { point } of items) this.#failed.set(point, isDamaged ? "gap" : "stale");
      return;
    }
    this.isAnswered = true;
    this.#counts.add("framesReceived");
    if (outcome.kind === "exception") {
      this.#counts.add("exceptions");
      const isTooMuch = outcome.code === ILLEGAL_ADDRESS || outcome.code === ILLEGAL_VALUE;
      const instead = isTooMuch ? this.#planner.refused(block) : [];
      for (const { point } of items) this.#failed.set(point, "instrument");
      for (const smaller of instead) await this.#ask(smaller);
      return;
    }
    const { data, askedMs, heardMs } = outcome;
    for (const { point, address } of items) {
      this.#failed.delete(point);
      this.#raw.set(point, {
        raw: readNumber(data, address - range.address, point.type, point.order),
        atMs: (askedMs + heardMs) / 2,
        uncertaintyMs: (heardMs - askedMs) / 2,
      });
    }
  }
}
