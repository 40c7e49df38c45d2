import type { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { CloggableSource } from "../../instruments/cloggable-source.ts";
import { hostedLinks, type HostedLinks } from "../../instruments/hosted-links.ts";
import { Instrument } from "../../instruments/instrument.ts";
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
  readonly instruments: number;
}

/** The instruments of one device, the cables between them and it, and the hands of whoever is on site. */
export class Bench {
  readonly links: HostedLinks;
  /** Of the chunks on the cables such a share arrives with wrong bytes. */
  garbagePortion = 0;
  readonly #options: BenchOptions;
  readonly #instruments: Instrument[] = [];
  readonly #sources: CloggableSource[] = [];

  constructor(options: BenchOptions) {
    this.#options = options;
    for (let index = 0; index < options.instruments; index++)
      this.#make(index === 0 ? "" : `-${index + 1}`, options.load.firstCurveMs ?? 0);
    const noise = options.random.fork("cable");
    this.links = hostedLinks(this.#instruments, {
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

  /** All that were ever plugged in. */
  get instruments(): readonly Instrument[] {
    return this.#instruments;
  }

  start(): void {
    for (const instrument of this.#instruments) instrument.start();
  }

  stop(): void {
    for (const instrument of this.#instruments) instrument.stop();
  }

  /** Measures no more, and hands over what it has. */
  rest(): void {
    for (const instrument of this.#instruments) instrument.rest();
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
