import type { Measurement } from "@coalmine/contract";
import { Recent, summary, type Window, type Windows } from "./window.ts";

/** Readings kept while their curve is incomplete; beyond this the oldest go, and are counted. */
const READINGS_OPEN_MAX = 4000;
/** Curves remembered as done, so that a batch published again is not scored again. */
const CURVES_DONE_MAX = 500;

/** The points of one reading, by channel. */
type Reading = Map<string, Measurement>;

const wanted = ["curve-point", "shear-rate", "apparent-viscosity", "temperature", "haematocrit"] as const;

/** A flow curve is the run of consecutive sequence numbers whose `curve-point` counts from 0 to `points` − 1. */
export class FlowCurves implements Windows {
  readonly #open = new Map<string, Reading>();
  readonly #done = new Recent(CURVES_DONE_MAX);
  readonly #curvePoints: number;
  dropped = 0;

  constructor(curvePoints: number) {
    this.#curvePoints = curvePoints;
  }

  add(points: readonly Measurement[]): Window[] {
    const touched: Measurement[] = [];
    for (const point of points) {
      if (point.derivation !== undefined || !isWanted(point.channel)) continue;
      const key = readingKey(point, point.sequence);
      const reading: Reading = this.#open.get(key) ?? new Map();
      this.#open.set(key, reading);
      reading.set(point.channel, point);
      if (reading.size === wanted.length) touched.push(point);
    }
    const curves = touched.flatMap((point) => this.#completed(point) ?? []);
    for (const key of this.#open.keys()) {
      if (this.#open.size <= READINGS_OPEN_MAX) break;
      this.#open.delete(key);
      this.dropped++;
    }
    return curves;
  }

  open(): Measurement[] {
    return [...this.#open.values()].flatMap((reading) => [...reading.values()]);
  }

  #completed(of: Measurement): Window | undefined {
    const index = this.#open.get(readingKey(of, of.sequence))?.get("curve-point")?.value;
    if (index === undefined) return undefined;
    const from = of.sequence - index;
    const readings: Reading[] = [];
    for (let at = 0; at < this.#curvePoints; at++) {
      const reading = this.#open.get(readingKey(of, from + at));
      if (reading?.size !== wanted.length || reading.get("curve-point")?.value !== at) return undefined;
      readings.push(reading);
    }
    for (let at = 0; at < readings.length; at++) this.#open.delete(readingKey(of, from + at));
    if (!this.#done.add(readingKey(of, from))) return undefined;
    const { instrument, boot, calibrationId } = of;
    return {
      instrument,
      boot,
      from,
      to: from + readings.length - 1,
      calibrationId,
      ...summary(readings.flatMap((reading) => [...reading.values()])),
      input: curveInput(readings),
    };
  }
}

/** log10 of the shear rates in rising order, log10 of their viscosities, mean temperature, mean haematocrit. */
function curveInput(readings: readonly Reading[]): Float32Array {
  const value = (reading: Reading, channel: (typeof wanted)[number]): number =>
    reading.get(channel)?.value ?? Number.NaN;
  const points = readings.toSorted((a, b) => value(a, "shear-rate") - value(b, "shear-rate"));
  const mean = (channel: (typeof wanted)[number]): number =>
    points.reduce((sum, point) => sum + value(point, channel), 0) / points.length;
  const logarithms = (channel: (typeof wanted)[number]): number[] =>
    points.map((point) => Math.log10(Math.max(value(point, channel), 1e-6)));
  return Float32Array.from([
    ...logarithms("shear-rate"),
    ...logarithms("apparent-viscosity"),
    mean("temperature"),
    mean("haematocrit"),
  ]);
}

function isWanted(channel: string): boolean {
  return wanted.some((name) => name === channel);
}

function readingKey(of: Measurement, sequence: number): string {
  return `${of.instrument}/${of.boot}/${sequence}`;
}
