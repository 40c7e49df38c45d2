import { Binned } from "./histogram.ts";
import type { Manifest } from "./manifest.ts";
import { PageHinkley } from "./page-hinkley.ts";
import type { Score } from "./score.ts";
import type { Window } from "./window.ts";

/** Windows that are compared with the training at a time. */
export const BLOCK_WINDOWS = 200;
/** Above this a population is commonly called shifted; it means nothing by itself below a significant KS. */
const PSI_MAX = 0.25;
/** KS beyond this, times 1/√n, is significant at 1 %. */
const KS_CRITICAL = 1.63;
/**
 * Of the value. 20 standard deviations of evidence beyond a tolerance of one half: a shift by one deviation is told
 * after some 40 windows, and unshifted values tell one in e^(2 · 0.5 · 20) windows.
 */
const SHIFT = { tolerance: 0.5, threshold: 20, learnFrom: 100 } as const;

export interface DriftFinding {
  readonly quantity: string;
  readonly psi: number;
  readonly ks: number;
  readonly isDrift: boolean;
}

/** Compares what a model sees and says with what its manifest says of its training, a block of windows at a time. */
export class Drift {
  readonly #inputs: readonly { readonly column: number; readonly binned: Binned }[];
  readonly #value: Binned | undefined;
  readonly #probability: Binned | undefined;
  readonly #shift = new PageHinkley(SHIFT);
  #windows = 0;
  /** Of the last whole block. */
  findings: readonly DriftFinding[] = [];

  constructor({ drift }: Manifest) {
    this.#inputs = (drift?.inputs ?? []).map((of) => ({ column: of.column, binned: new Binned(of) }));
    this.#value = drift?.value && new Binned(drift.value);
    this.#probability = drift?.probability && new Binned(drift.probability);
  }

  get shiftLevel(): number {
    return this.#shift.level;
  }

  /** What the window brought: how many quantities of a block that it completed drift, and whether the value shifted. */
  add({ input }: Pick<Window, "input">, score: Score): { drifts: number; shifted: boolean } {
    for (const { column, binned } of this.#inputs) binned.add(input[column] ?? Number.NaN);
    this.#value?.add(score.value);
    this.#probability?.add(score.probability);
    const shifted = this.#shift.add(score.value);
    this.#windows++;
    if (this.#windows < BLOCK_WINDOWS) return { drifts: 0, shifted };
    this.#windows = 0;
    this.findings = this.#all().map(([quantity, binned]) => {
      const psi = binned.psi();
      const ks = binned.ks();
      binned.clear();
      return { quantity, psi, ks, isDrift: psi > PSI_MAX && ks > KS_CRITICAL / Math.sqrt(BLOCK_WINDOWS) };
    });
    return { drifts: this.findings.filter(({ isDrift }) => isDrift).length, shifted };
  }

  /** The worst of the last block, over inputs (`input:…`) or outputs (`output:…`). */
  worst(of: "input" | "output", statistic: "psi" | "ks"): number {
    return this.findings
      .filter(({ quantity }) => quantity.startsWith(`${of}:`))
      .reduce((worst, finding) => Math.max(worst, finding[statistic]), 0);
  }

  #all(): [string, Binned][] {
    const all: [string, Binned | undefined][] = [
      ...this.#inputs.map(({ binned }): [string, Binned] => [`input:${binned.reference.name}`, binned]),
      ["output:value", this.#value],
      ["output:probability", this.#probability],
    ];
    return all.flatMap(([quantity, binned]): [string, Binned][] =>
      binned === undefined ? [] : [[quantity, binned]],
    );
  }
}
