import type { Random } from "@coalmine/ports";
import { fnv1a } from "./fnv1a.ts";

/** A small fast generator (sfc32) that gives the same numbers for the same seed on every machine. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` is any text; `fork` gives independent streams of one seed. */
  constructor(seed: string) {
    this.#a = fnv1a(seed, 0);
    this.#b = fnv1a(seed, 1);
    this.#c = fnv1a(seed, 2);
    for (let round = 0; round < 12; round++) this.next();
    this.#seed = seed;
  }
  readonly #seed: string;

  next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return (t >>> 0) / 0x1_0000_0000;
  }

  /** A stream of its own, the same whatever else was drawn from this one. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  /** Uniform whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Standard normal (Box–Muller, one of the pair). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}
