import type { Score } from "./score.ts";

/** How a shadow compares with the model that serves, over all windows that both scored. */
export class Agreement {
  windows = 0;
  /** Of the same class. */
  agreed = 0;
  failed = 0;
  /** Windows that the shadow was spared because it was behind. */
  skipped = 0;
  #differenceSum = 0;
  #differenceMax = 0;
  #runMsSum = 0;
  /** Windows by the serving model's class, and then by the shadow's. */
  readonly #classes: number[][];

  constructor(classes: number) {
    this.#classes = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  }

  add(serving: Score, shadow: Score, runMs: number): void {
    this.windows++;
    if (serving.classIndex === shadow.classIndex) this.agreed++;
    const difference = Math.abs(shadow.value / serving.value - 1);
    this.#differenceSum += difference;
    this.#differenceMax = Math.max(this.#differenceMax, difference);
    this.#runMsSum += runMs;
    const row = this.#classes[serving.classIndex];
    if (row !== undefined) row[shadow.classIndex] = (row[shadow.classIndex] ?? 0) + 1;
  }

  /** Cohen's κ: agreement beyond what the classes' frequencies alone would bring. 1 where both say one class always. */
  kappa(): number {
    if (this.windows === 0) return 0;
    const total = this.windows;
    const expected = this.#classes.reduce((sum, row, index) => {
      const byServing = row.reduce((count, cell) => count + cell, 0);
      const byShadow = this.#classes.reduce((count, other) => count + (other[index] ?? 0), 0);
      return sum + (byServing / total) * (byShadow / total);
    }, 0);
    return expected === 1 ? 1 : (this.agreed / total - expected) / (1 - expected);
  }

  report() {
    const per = (sum: number): number => (this.windows === 0 ? 0 : sum / this.windows);
    return {
      windows: this.windows,
      agreed: this.agreed,
      failed: this.failed,
      skipped: this.skipped,
      kappa: this.kappa(),
      /** Of the values, |shadow/serving − 1|. */
      differenceMean: per(this.#differenceSum),
      differenceMax: this.#differenceMax,
      runMsMean: per(this.#runMsSum),
      classes: this.#classes,
    };
  }
}
