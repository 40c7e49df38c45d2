export interface PageHinkleyOptions {
  /** A shift of the mean this small, in standard deviations, is none. */
  readonly tolerance: number;
  /** The sum of deviations, in standard deviations, at which a shift is told. */
  readonly threshold: number;
  /** Values that make the mean and deviation to compare with. */
  readonly learnFrom: number;
}

/** Page and Hinkley's test for a shift of the mean of a sequence, up or down. @see Page, Biometrika 41, 1954 */
export class PageHinkley {
  readonly #options: PageHinkleyOptions;
  #count = 0;
  #mean = 0;
  /** Sum of squared deviations from the mean. */
  #squares = 0;
  #up = 0;
  #down = 0;

  constructor(options: PageHinkleyOptions) {
    this.#options = options;
  }

  /** How far the evidence has grown, as a share of the threshold. */
  get level(): number {
    return Math.max(this.#up, this.#down) / this.#options.threshold;
  }

  /** True where a shift is told; then the test learns anew. */
  add(value: number): boolean {
    const { tolerance, threshold, learnFrom } = this.#options;
    if (this.#count < learnFrom) {
      this.#count++;
      const off = value - this.#mean;
      this.#mean += off / this.#count;
      this.#squares += off * (value - this.#mean);
      return false;
    }
    const deviation = Math.sqrt(this.#squares / (this.#count - 1)) || Number.EPSILON;
    const z = (value - this.#mean) / deviation;
    this.#up = Math.max(0, this.#up + z - tolerance);
    this.#down = Math.max(0, this.#down - z - tolerance);
    if (Math.max(this.#up, this.#down) < threshold) return false;
    this.#count = 0;
    this.#mean = 0;
    this.#squares = 0;
    this.#up = 0;
    this.#down = 0;
    return true;
  }
}
