import type { Measurement } from "@coalmine/contract";

/** One complete flow curve: the model's window. */
export interface FlowCurve {
  readonly instrument: Measurement["instrument"];
  readonly boot: number;
  readonly from: number;
  readonly to: number;
  readonly sampleTimeMs: number;
  readonly sampleTimeUncertaintyMs: number;
  readonly calibrationId: string;
  /** The worst quality among its points. */
  readonly quality: Measurement["quality"];
  /** In order of the curve's points. */
  readonly points: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly shearRate: number;
  readonly viscosity: number;
  readonly temperature: number;
  readonly haematocrit: number;
}

/** Readings kept while their curve is incomplete; beyond this the oldest go, and are counted. */
const READINGS_OPEN_MAX = 4000;
/** Curves remembered as done, so that a batch published again is not scored again. */
const CURVES_DONE_MAX = 500;

interface OpenReading {
  readonly points: Map<string, Measurement>;
}

const wanted = ["curve-point", "shear-rate", "apparent-viscosity", "temperature", "haematocrit"] as const;

/**
 * Puts flow curves together from points that may come in pieces, twice, and out of order. A curve is the run of
 * consecutive sequence numbers whose `curve-point` counts from 0 to `points` − 1.
 */
export class FlowCurves {
  readonly #open = new Map<string, OpenReading>();
  readonly #done = new Set<string>();
  readonly #curvePoints: () => number;
  dropped = 0;

  /** `curvePoints` tells how many points the serving model wants in a curve. */
  constructor(curvePoints: () => number) {
    this.#curvePoints = curvePoints;
  }

  /** Takes points in, and gives the curves that they complete. */
  add(points: readonly Measurement[]): FlowCurve[] {
    const touched: Measurement[] = [];
    for (const point of points) {
      if (point.derivation !== undefined || !isWanted(point.channel)) continue;
      const key = readingKey(point, point.sequence);
      const reading = this.#open.get(key) ?? { points: new Map<string, Measurement>() };
      this.#open.set(key, reading);
      reading.points.set(point.channel, point);
      if (reading.points.size === wanted.length) touched.push(point);
    }
    const curves = touched.flatMap((point) => this.#completed(point) ?? []);
    for (const key of this.#open.keys()) {
      if (this.#open.size <= READINGS_OPEN_MAX) break;
      this.#open.delete(key);
      this.dropped++;
    }
    return curves;
  }

  #completed(of: Measurement): FlowCurve | undefined {
    const index = this.#open.get(readingKey(of, of.sequence))?.points.get("curve-point")?.value;
    if (index === undefined) return undefined;
    const count = this.#curvePoints();
    const from = of.sequence - index;
    const readings: OpenReading[] = [];
    for (let at = 0; at < count; at++) {
      const reading = this.#open.get(readingKey(of, from + at));
      if (reading?.points.size !== wanted.length || reading.points.get("curve-point")?.value !== at)
        return undefined;
      readings.push(reading);
    }
    for (let at = 0; at < count; at++) this.#open.delete(readingKey(of, from + at));
    const done = readingKey(of, from);
    if (this.#done.has(done)) return undefined;
    this.#done.add(done);
    for (const oldest of this.#done) {
      if (this.#done.size <= CURVES_DONE_MAX) break;
      this.#done.delete(oldest);
    }
    return assemble(of, from, readings);
  }
}

function assemble(of: Measurement, from: number, readings: readonly OpenReading[]): FlowCurve {
  const value = (reading: OpenReading, channel: (typeof wanted)[number]): number =>
    reading.points.get(channel)?.value ?? Number.NaN;
  const all = readings.flatMap((reading) => [...reading.points.values()]);
  return {
    instrument: of.instrument,
    boot: of.boot,
    from,
    to: from + readings.length - 1,
    sampleTimeMs: Math.max(...all.map((point) => point.sampleTimeMs)),
    sampleTimeUncertaintyMs: Math.max(...all.map((point) => point.sampleTimeUncertaintyMs)),
    calibrationId: of.calibrationId,
    quality: all.map((point) => point.quality).reduce(worse),
    points: readings.map((reading) => ({
      shearRate: value(reading, "shear-rate"),
      viscosity: value(reading, "apparent-viscosity"),
      temperature: value(reading, "temperature"),
      haematocrit: value(reading, "haematocrit"),
    })),
  };
}

function worse(a: Measurement["quality"], b: Measurement["quality"]): Measurement["quality"] {
  const rank = { good: 0, uncertain: 1, bad: 2 } as const;
  return rank[b.level] > rank[a.level] ? b : a;
}

function isWanted(channel: string): boolean {
  return wanted.some((name) => name === channel);
}

function readingKey(of: Measurement, sequence: number): string {
  return `${of.instrument}/${of.boot}/${sequence}`;
}
