import { factoryCalibration, POINTS_PER_CURVE } from "@coalmine/instrument";
import type { SeededRandom } from "@coalmine/runtime/seeded-random";
import { carreauYasuda, casson, type Blood, type BloodModel } from "./blood.ts";
import { CONTROL_GLYCEROL_MASS_SHARE, glycerolWaterViscosity } from "./control-fluid.ts";
import type { EmptyReading, FlowCurveSource, FlowPoint } from "./flow-curve-source.ts";

export interface RheometerOptions {
  readonly random: SeededRandom;
  readonly model?: BloodModel;
  /** Fibrinogen of the people measured, in g/l; one is drawn. */
  readonly fibrinogen?: readonly number[];
  /** Standard deviation of one stress reading: a share of it, and a floor in Pa. */
  readonly noiseShare?: number;
  readonly noisePa?: number;
  /** Standard deviation of the sensor's gain, which wanders about 1 with a memory of a day. */
  readonly driftShare?: number;
  /** Chance that a sample clogs the capillary during its curve; it is rinsed before the next. */
  readonly cloggedShare?: number;
}

const SHEAR_RATE_MIN = 2;
const SHEAR_RATE_MAX = 1000;
const SENSOR_MAX_PA = 20;
/** From here on the firmware itself takes an empty channel for clogged. */
const CLOGGED_PA = 1;

export interface EmptyFault {
  /** Standard deviation, beside the sensor's own. */
  readonly noisePa: number;
  readonly driftPaPerMinute: number;
  /** Stress that is left in a channel that was not rinsed. */
  readonly residuePa: number;
}
const noEmptyFault: EmptyFault = { noisePa: 0, driftPaPerMinute: 0, residuePa: 0 };
const DAY_MS = 86_400_000;

/** How many points a bubble takes to pass the capillary. */
const BUBBLE_POINTS = 3;

/** A capillary rheometer, at 37 °C unless set otherwise: a pump sets the shear rate at the wall, a pressure sensor gives the stress there. */
export class Rheometer implements FlowCurveSource {
  readonly pointsPerCurve = POINTS_PER_CURVE;
  /** Wrong gain of the sensor that no calibration knows of; a fault to be found by the control fluid. */
  gainFault = 1;
  /** What somebody fills in for a calibration: 65 % glycerol in water reaches what blood does. */
  referenceGlycerolMassShare = 0.65;
  /** The temperature that its thermostat holds, 20 … 42 °C. */
  thermostatC = 37;
  /**
   * Which share of the capillary's length an air bubble fills that passes once a curve; 0: none comes. Air is a hundred times
   * thinner than water, so that only what is wetted drags: τ falls to (1 − share).
   */
  bubbleShare = 0;
  /** What an empty channel shows of a sensor that is not well: more noise, drift, and residue that narrows the channel. */
  emptyFault: EmptyFault = noEmptyFault;
  readonly #random: SeededRandom;
  readonly #model: BloodModel;
  readonly #noiseShare: number;
  readonly #noisePa: number;
  readonly #driftShare: number;
  readonly #cloggedShare: number;
  readonly #haematocrit: number;
  readonly #fibrinogen: number;
  #drift = 0;
  #driftAtMs: number | undefined;
  #emptySinceMs: number | undefined;

  constructor(options: RheometerOptions) {
    this.#random = options.random;
    const fibrinogen = options.fibrinogen ?? [2.5];
    this.#fibrinogen = fibrinogen[this.#random.below(fibrinogen.length)] ?? 2.5;
    this.#haematocrit = clamp(0.42 + 0.035 * this.#random.normal(), 0.3, 0.55);
    this.#model = options.model ?? (this.#random.next() < 0.5 ? casson : carreauYasuda);
    this.#noiseShare = options.noiseShare ?? 0.005;
    this.#noisePa = options.noisePa ?? 0.0003;
    this.#driftShare = options.driftShare ?? 0.003;
    this.#cloggedShare = options.cloggedShare ?? 0.002;
  }

  curve(what: "sample" | "control" | "reference", atMs: number): readonly FlowPoint[] {
    const gain = this.#gain(atMs) * this.gainFault;
    const temperatureC = this.thermostatC + 0.05 * this.#random.normal();
    const blood: Blood = {
      haematocrit: clamp(this.#haematocrit + 0.005 * this.#random.normal(), 0.2, 0.6),
      temperatureC,
      fibrinogen: this.#fibrinogen,
    };
    const clogs = what === "sample" && this.#random.next() < this.#cloggedShare;
    const clogsAt = clogs ? this.#random.below(this.pointsPerCurve) : this.pointsPerCurve;
    // Without one no chance is taken, so that a seed means what it did.
    const bubbleAt =
      this.bubbleShare === 0 ? Infinity : this.#random.below(this.pointsPerCurve - BUBBLE_POINTS + 1);
    return Array.from({ length: this.pointsPerCurve }, (_, point) => {
      // From fast to slow, evenly on a logarithmic scale: cells have no time to settle before the slow points.
      const shearRate =
        SHEAR_RATE_MAX * (SHEAR_RATE_MIN / SHEAR_RATE_MAX) ** (point / (this.pointsPerCurve - 1));
      const viscosity =
        what === "sample"
          ? this.#model(shearRate, blood)
          : glycerolWaterViscosity(
              what === "control" ? CONTROL_GLYCEROL_MASS_SHARE : this.referenceGlycerolMassShare,
              temperatureC,
            );
      const clogged = point >= clogsAt;
      // At the same flow the stress at the wall grows with the third power of the narrowing.
      const narrowed = clogged ? 0.9 ** -3 : 1;
      const wetted = point >= bubbleAt && point < bubbleAt + BUBBLE_POINTS ? 1 - this.bubbleShare : 1;
      const raw = sensorReading((viscosity / 1000) * shearRate * narrowed * wetted) * gain;
      const noisy = raw + (this.#noisePa + this.#noiseShare * raw) * this.#random.normal();
      return {
        shearRate,
        shearStress: clamp(noisy, 0, SENSOR_MAX_PA),
        temperature: temperatureC + 0.01 * this.#random.normal(),
        haematocrit: what === "sample" ? 100 * blood.haematocrit + 0.2 * this.#random.normal() : 0,
        clogged,
        clipped: noisy <= 0 || noisy >= SENSOR_MAX_PA,
      };
    });
  }

  empty(atMs: number): EmptyReading {
    const { noisePa, driftPaPerMinute, residuePa } = this.emptyFault;
    const minutes = (atMs - (this.#emptySinceMs ??= atMs)) / 60_000;
    return {
      shearStress:
        sensorReading(residuePa) * this.#gain(atMs) * this.gainFault +
        driftPaPerMinute * minutes +
        Math.hypot(this.#noisePa, noisePa) * this.#random.normal(),
      temperature: this.thermostatC + 0.01 * this.#random.normal(),
      clogged: residuePa > CLOGGED_PA,
      clipped: false,
    };
  }

  /** A random walk that is drawn back: its next value depends on how long ago the last was. */
  #gain(atMs: number): number {
    const kept = this.#driftAtMs === undefined ? 0 : Math.exp(-Math.max(0, atMs - this.#driftAtMs) / DAY_MS);
    this.#drift = kept * this.#drift + Math.sqrt(1 - kept * kept) * this.#driftShare * this.#random.normal();
    this.#driftAtMs = atMs;
    return 1 + this.#drift;
  }
}

/** The sensor reads what the maker's calibration turns back into the stress. */
function sensorReading(stressPa: number): number {
  if (factoryCalibration.kind !== "polynomial")
    throw new TypeError("the factory calibration is a polynomial");
  const [offset = 0, slope = 1] = factoryCalibration.coefficients;
  return (stressPa - offset) / slope;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
