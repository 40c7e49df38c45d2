import type { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { CloggableSource } from "../../instruments/cloggable-source.ts";
import { hostedLinks, type HostedLinks } from "../../instruments/hosted-links.ts";
import { Instrument } from "../../instruments/instrument.ts";
import {
  lineInstrument,
  type LineInstrument,
  type LineInstrumentKind,
} from "../../instruments/line-instruments.ts";
import type { Ledger } from "../../instruments/ledger.ts";
import { Rheometer } from "../../instruments/rheometer.ts";
import type { DeviceLoad } from "./hosted-device.ts";

export interface BenchOptions {
  readonly thingName: string;
  readonly clock: DrivenClock;
  readonly random: SeededRandom;
  readonly ledgerOf: (instrument: string) => Ledger;
  readonly fibrinogen: readonly number[];
  readonly load: DeviceLoad;
  readonly instruments: readonly InstrumentKind[];
}

export type InstrumentKind = "rheometer" | LineInstrumentKind;

/** The instruments of one device, the cables between them and it, and the hands of whoever is on site. */
export class Bench {
  readonly links: HostedLinks;
  /** Ports of those that keep no ledger: what they measured cannot be told from what is in the lake. */
  readonly withoutLedger: ReadonlySet<string>;
  /** Of the chunks on the cables such a share arrives with wrong bytes. */
  garbagePortion = 0;
  readonly #options: BenchOptions;
  readonly #instruments: Instrument[] = [];
  readonly #sources: CloggableSource[] = [];
  readonly #lines: readonly LineInstrument[];

  constructor(options: BenchOptions) {
    this.#options = options;
    const kinds = options.instruments;
    for (const index of kinds.filter((kind) => kind === "rheometer").keys())
      this.#make(index === 0 ? "" : `-${index + 1}`, options.load.firstCurveMs ?? 0);
    this.#lines = kinds.flatMap((kind, index) => {
      if (kind === "rheometer") return [];
      const twins = kinds.slice(0, index).filter((other) => other === kind).length;
      const id = twins === 0 ? kind : `${kind}-${twins + 1}`;
      return [lineInstrument(kind, { id, clock: options.clock, random: options.random.fork(id) })];
    });
    this.withoutLedger = new Set(this.#lines.map(({ id }) => id));
    const noise = options.random.fork("cable");
    this.links = hostedLinks([...this.#instruments, ...this.#lines], {
      mangle: (bytes) => {
        if (this.garbagePortion === 0 || noise.next() >= this.garbagePortion) return bytes;
        const at = noise.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 + noise.below(255));
        return bytes;
      },
    });
  }

  get first(): Instrument {
    const [first] = this.#instruments;
    if (first === undefined) throw new RangeError(`${this.#options.thingName} has no instrument`);
    return first;
  }

  /** All rheometers that were ever plugged in. */
  get instruments(): readonly Instrument[] {
    return this.#instruments;
  }

  start(): void {
    for (const instrument of [...this.#instruments, ...this.#lines]) instrument.start();
  }

  stop(): void {
    for (const instrument of [...this.#instruments, ...this.#lines]) instrument.stop();
  }

  /** Measures no more, and hands over what it has. */
  rest(): void {
    for (const instrument of this.#instruments) instrument.rest();
    for (const instrument of this.#lines) instrument.stop();
  }

  set isClogged(clogged: boolean) {
    for (const source of this.#sources) source.isClogged = clogged;
  }

  unplug(): void {
    for (const { id } of this.#instruments) this.links.unplug(id);
  }

  plug(): void {
    for (const { id } of this.#instruments) this.links.plug(id);
  }

  /** The first instrument goes, and another one of its kind stands in for it; gives how to change them back. */
  swap(): () => void {
    const { first } = this;
    this.links.unplug(first.id);
    const other = this.#make(`-swap${this.#instruments.length}`, 0);
    this.links.add(other);
    other.start();
    return () => {
      other.rest();
      this.links.plug(first.id);
    };
  }

  #make(suffix: string, firstCurveMs: number): Instrument {
    const { thingName, clock, random, ledgerOf, fibrinogen, load } = this.#options;
    const own = random.fork(`instrument${suffix}`);
    const source = new CloggableSource(new Rheometer({ random: own.fork("rheometer"), fibrinogen }));
    const id = `rheo-${thingName}${suffix}`;
    const instrument = new Instrument({
      id,
      clock,
      random: own,
      source,
      ledger: ledgerOf(id),
      periodMs: load.curvePeriodMs,
      // Spread, since no two were switched on at once.
      phaseMs: firstCurveMs + Math.floor(own.fork("phase").next() * load.curvePeriodMs),
      controlEvery: load.controlEvery,
      transmit: this.#options.load.transmit ?? "curve",
    });
    this.#instruments.push(instrument);
    this.#sources.push(source);
    return instrument;
  }
}
