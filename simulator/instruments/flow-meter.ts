import type { SeededRandom } from "@coalmine/runtime/seeded-random";
import { waterDensity, waterSoundSpeed, waterViscosity } from "./water.ts";

export interface FlowMeterOptions {
  readonly random: SeededRandom;
  readonly diameterMetres?: number;
  /** Between the sound path and the pipe's axis. */
  readonly angleDegrees?: number;
  /** Mean velocity over the cross-section, in m/s, at a time; a building's demand unless given. */
  readonly velocity?: (atMs: number) => number;
  readonly temperatureC?: (atMs: number) => number;
  /** Standard deviation of one measured time difference, in ns. */
  readonly noiseNs?: number;
}

export interface FlowReading {
  /** In m³/h. */
  readonly flow: number;
  /** Since the beginning, in m³. */
  readonly volume: number;
  readonly temperatureC: number;
  /** False while the sound does not get through. */
  readonly isValid: boolean;
}

const HOUR_MS = 3_600_000;
const LAMINAR_REYNOLDS_MAX = 2300;
const TURBULENT_REYNOLDS_MIN = 4000;

/**
 * An ultrasonic flow meter with one diametral path on a full water pipe, in SI units.
 *
 * | what | equation |
 * | --- | --- |
 * | time difference, against and with the flow | Δt = 2·L·v̄·cos θ/c², L = D/sin θ; v̄ the mean along the path |
 * | Reynolds number | Re = ρ·v·D/η |
 * | path's mean over area's mean | k = 4/3 below Re = 2,300; 1.12 − 0.011·log₁₀ Re from 4,000 on; between them in a line |
 * | flow | Q = (π/4)·D²·v |
 *
 * The meter measures Δt, knows c from its temperature and divides by k of the velocity it found. Gas bubbles scatter the
 * sound: then it keeps its volume and says that it is not valid.
 * @see Spitzer, Flow Measurement, 2nd ed., chapter on ultrasonic meters; ISO 12242
 */
export class FlowMeter {
  /** Gas in the pipe: nothing is measured. */
  hasBubbles = false;
  /** Of the electronics, in ns: a fault to be found at rest. */
  zeroOffsetNs = 0;
  readonly #random: SeededRandom;
  readonly #diameter: number;
  readonly #angle: number;
  readonly #velocity: (atMs: number) => number;
  readonly #temperatureC: (atMs: number) => number;
  readonly #noiseNs: number;
  #last: { readonly atMs: number; readonly flow: number } | undefined;
  #volume = 0;

  constructor(options: FlowMeterOptions) {
    this.#random = options.random;
    this.#diameter = options.diameterMetres ?? 0.05;
    this.#angle = ((options.angleDegrees ?? 45) * Math.PI) / 180;
    this.#velocity = options.velocity ?? demand;
    this.#temperatureC = options.temperatureC ?? (() => 12);
    this.#noiseNs = options.noiseNs ?? 0.1;
  }

  read(atMs: number): FlowReading {
    const temperatureC = this.#temperatureC(atMs);
    const flow = this.hasBubbles ? 0 : this.#measured(this.#velocity(atMs), temperatureC);
    // Between two readings the flow is a line.
    if (this.#last !== undefined && !this.hasBubbles)
      this.#volume += (((this.#last.flow + flow) / 2) * (atMs - this.#last.atMs)) / HOUR_MS;
    this.#last = { atMs, flow };
    return { flow, volume: this.#volume, temperatureC, isValid: !this.hasBubbles };
  }

  #measured(trueVelocity: number, temperatureC: number): number {
    const sound = waterSoundSpeed(temperatureC);
    const secondsPerVelocity = (2 * this.#diameter) / (Math.tan(this.#angle) * sound ** 2);
    const along =
      trueVelocity * profileFactor(reynolds(Math.abs(trueVelocity), this.#diameter, temperatureC));
    const differenceS =
      along * secondsPerVelocity + 1e-9 * (this.zeroOffsetNs + this.#noiseNs * this.#random.normal());
    const seen = differenceS / secondsPerVelocity;
    // The factor depends on what it is to correct; it changes so little that a few turns settle it.
    let velocity = seen;
    for (let turn = 0; turn < 8; turn++)
      velocity = seen / profileFactor(reynolds(Math.abs(velocity), this.#diameter, temperatureC));
    return velocity * (Math.PI / 4) * this.#diameter ** 2 * 3600;
  }
}

export function reynolds(velocity: number, diameterMetres: number, temperatureC: number): number {
  return (waterDensity(temperatureC) * velocity * diameterMetres) / (waterViscosity(temperatureC) / 1000);
}

export function profileFactor(reynoldsNumber: number): number {
  const turbulent = (at: number): number => 1.12 - 0.011 * Math.log10(at);
  if (reynoldsNumber <= LAMINAR_REYNOLDS_MAX) return 4 / 3;
  if (reynoldsNumber >= TURBULENT_REYNOLDS_MIN) return turbulent(reynoldsNumber);
  const part = (reynoldsNumber - LAMINAR_REYNOLDS_MAX) / (TURBULENT_REYNOLDS_MIN - LAMINAR_REYNOLDS_MAX);
  return 4 / 3 + part * (turbulent(TURBULENT_REYNOLDS_MIN) - 4 / 3);
}

/** A building's: least at three in the morning, most at noon and in the evening, never at rest; m/s. */
function demand(atMs: number): number {
  const day = (2 * Math.PI * (atMs % (24 * HOUR_MS))) / (24 * HOUR_MS);
  return 0.6 - 0.35 * Math.cos(day - Math.PI / 4) + 0.15 * Math.cos(2 * day - Math.PI / 2) ** 2;
}
