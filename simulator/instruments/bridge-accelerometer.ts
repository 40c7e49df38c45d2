import type { SeededRandom } from "@coalmine/runtime/seeded-random";
import { type Beam, type Damage, modeShape, naturalFrequency } from "./beam.ts";

export interface BridgeOptions {
  readonly random: SeededRandom;
  readonly beam?: Beam;
  readonly atMetres?: number;
  /** Of all modes: 0.01 … 0.02 is usual of concrete bridges in use. */
  readonly dampingRatio?: number;
  /** Standard deviation of the first mode's acceleration at midspan, in m/s²; wind and traffic are taken as white noise. */
  readonly ambient?: number;
  /** Of the sensor, in m/s². */
  readonly noise?: number;
  /** When damage begins, how much stiffness goes with each day, and where. */
  readonly damage?: {
    readonly fromMs: number;
    readonly lostSharePerDay: number;
    readonly fromMetres: number;
    readonly toMetres: number;
  };
}

/** A concrete girder of 30 m: its first frequencies are 4.2, 17 and 38 Hz. */
const girder: Beam = { bendingStiffness: 1.15e10, massPerMetre: 2000, spanMetres: 30 };
const MODES = [1, 2, 3] as const;
const LOST_SHARE_MAX = 0.9;
const DAY_MS = 86_400_000;

/**
 * An accelerometer on a beam bridge that wind and traffic shake, in which damage may develop.
 *
 * Each mode is an oscillator q̈ + 2ζωq̇ + ω²q = w with white noise w; the acceleration at x is Σ φₙ(x)·(−ω²q − 2ζωq̇), in
 * m/s². A step of any length is exact: (q, q̇) goes on by the oscillator's own transition, and what noise adds has the
 * covariance that keeps the stationary one (σ²/ω⁴ of q, σ²/ω² of q̇). All modes get the same noise, so that σₙ² of the
 * acceleration is proportional to ωₙ. As damage grows ω falls (`beam.ts`).
 *
 * Left out: temperature's share in the stiffness, and single vehicles.
 * @see Preumont, Random Vibration and Spectral Analysis, chapter 5; Farrar and others, LA-12767-MS, 1994, for a bridge whose
 * first frequency fell from 2.48 to 2.30 Hz
 */
export class BridgeAccelerometer {
  readonly #options: Required<Omit<BridgeOptions, "damage">> & Pick<BridgeOptions, "damage">;
  readonly #modes = MODES.map((mode) => ({ mode, q: 0, v: 0 }));
  #atMs: number | undefined;

  constructor(options: BridgeOptions) {
    const beam = options.beam ?? girder;
    this.#options = {
      beam,
      atMetres: beam.spanMetres / 3,
      dampingRatio: 0.015,
      ambient: 0.02,
      noise: 0.0005,
      ...options,
    };
  }

  /** What a mode has at this time, in Hz: the truth behind the signal. */
  frequency(mode: number, atMs: number): number {
    return naturalFrequency(this.#options.beam, mode, this.#damageAt(atMs));
  }

  /** The vertical acceleration in m/s². Times must not go back. */
  sample(atMs: number): number {
    const { beam, atMetres, noise, random } = this.#options;
    // Long before the first sample the bridge swung already.
    const stepS = this.#atMs === undefined ? Infinity : (atMs - this.#atMs) / 1000;
    this.#atMs = atMs;
    const damage = this.#damageAt(atMs);
    const reference = 2 * Math.PI * naturalFrequency(beam, 1);
    let sum = noise * random.normal();
    for (const state of this.#modes) {
      const omega = 2 * Math.PI * naturalFrequency(beam, state.mode, damage);
      sum += modeShape(beam, state.mode, atMetres) * this.#step(state, omega, stepS, omega / reference);
    }
    return sum;
  }

  #step(state: { q: number; v: number }, omega: number, stepS: number, powerRatio: number): number {
    const { dampingRatio: zeta, ambient, random } = this.#options;
    const damped = omega * Math.sqrt(1 - zeta * zeta);
    const decay = stepS === Infinity ? 0 : Math.exp(-zeta * omega * stepS);
    const [c, s] = decay === 0 ? [1, 0] : [Math.cos(damped * stepS), Math.sin(damped * stepS)];
    const a11 = decay * (c + ((zeta * omega) / damped) * s);
    const a12 = (decay * s) / damped;
    const a21 = -omega * omega * a12;
    const a22 = decay * (c - ((zeta * omega) / damped) * s);
    const variance = ambient * ambient * powerRatio;
    const [pq, pv] = [variance / omega ** 4, variance / omega ** 2];
    // What noise adds: P − A·P·Aᵀ, drawn by its Cholesky factor.
    const q11 = Math.max(0, pq - a11 * a11 * pq - a12 * a12 * pv);
    const q12 = -(a11 * a21 * pq + a12 * a22 * pv);
    const q22 = Math.max(0, pv - a21 * a21 * pq - a22 * a22 * pv);
    const l11 = Math.sqrt(q11);
    const l21 = l11 === 0 ? 0 : q12 / l11;
    const l22 = Math.sqrt(Math.max(0, q22 - l21 * l21));
    const [one, other] = [random.normal(), random.normal()];
    const { q, v } = state;
    state.q = a11 * q + a12 * v + l11 * one;
    state.v = a21 * q + a22 * v + l21 * one + l22 * other;
    return -omega * omega * state.q - 2 * zeta * omega * state.v;
  }

  #damageAt(atMs: number): Damage | undefined {
    const { damage } = this.#options;
    if (damage === undefined || atMs <= damage.fromMs) return undefined;
    const lostShare = Math.min(LOST_SHARE_MAX, (damage.lostSharePerDay * (atMs - damage.fromMs)) / DAY_MS);
    return { fromMetres: damage.fromMetres, toMetres: damage.toMetres, lostShare };
  }
}
