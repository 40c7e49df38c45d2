import type { EmptyReading, FlowCurveSource, FlowPoint } from "./flow-curve-source.ts";

/** A capillary that is nine tenths as wide: the stress at its wall grows with the third power. */
const NARROWED = 0.9 ** -3;

/** An instrument whose capillary clogs when somebody says so, and stays so until it is rinsed. */
export class CloggableSource implements FlowCurveSource {
  isClogged = false;
  readonly #source: FlowCurveSource;

  constructor(source: FlowCurveSource) {
    this.#source = source;
  }

  get pointsPerCurve(): number {
    return this.#source.pointsPerCurve;
  }

  curve(what: "sample" | "control" | "reference", atMs: number): readonly FlowPoint[] {
    const points = this.#source.curve(what, atMs);
    return this.isClogged
      ? points.map((point) => ({ ...point, shearStress: point.shearStress * NARROWED, clogged: true }))
      : points;
  }

  empty(atMs: number): EmptyReading {
    return { ...this.#source.empty(atMs), ...(this.isClogged ? { clogged: true } : {}) };
  }
}
