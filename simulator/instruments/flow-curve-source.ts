/** What an instrument measures: the physics of a rheometer, or a recording of one. */
export interface FlowCurveSource {
  readonly pointsPerCurve: number;
  /** All points of one curve, measured from `atMs` on. */
  curve(what: "sample" | "control" | "reference", atMs: number): readonly FlowPoint[];
  /** One raw reading of the empty channel. */
  empty(atMs: number): EmptyReading;
}

/** Raw, without any flow. */
export type EmptyReading = Pick<FlowPoint, "shearStress" | "temperature" | "clogged" | "clipped">;

/** One point as the sensor gives it; the units are the protocol's. */
export interface FlowPoint {
  readonly shearRate: number;
  readonly shearStress: number;
  readonly temperature: number;
  readonly haematocrit: number;
  readonly clogged: boolean;
  readonly clipped: boolean;
}
