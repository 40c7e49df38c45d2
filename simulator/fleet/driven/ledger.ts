import type { LedgerEntry, Ledger } from "../../instruments/ledger.ts";

/** Readings sampled within this time of each other count as one burst: a curve, not a point, is what the ledger keeps. */
const BURST_MS = 60_000;

/** What one start of one instrument measured: sequences 0 to `readings - 1`, each of `channels` points. */
export interface BootLedger {
  readonly boot: number;
  readonly readings: number;
  readonly lastSequence: number;
  readonly channels: number;
  readonly controlReadings: number;
}

interface Boot {
  readings: number;
  controls: number;
  channels: number;
  /** Of each burst its first sequence and time, and how many control readings came before it. */
  readonly bursts: { readonly sequence: number; readonly sampledMs: number; readonly controls: number }[];
}

/** One instrument's ledger by counts: its sequences have no holes, so counts name every reading. */
export class CountingLedger implements Ledger {
  readonly #boots = new Map<number, Boot>();

  measured({ boot, sequence, channels, control, sampledMs }: LedgerEntry): void {
    const of = this.#boots.get(boot) ?? { readings: 0, controls: 0, channels, bursts: [] };
    this.#boots.set(boot, of);
    const last = of.bursts.at(-1);
    if (last === undefined || sampledMs - last.sampledMs > BURST_MS)
      of.bursts.push({ sequence, sampledMs, controls: of.controls });
    of.readings = sequence + 1;
    if (control) of.controls++;
  }

  /** What was measured, or of it the bursts that began before `before`. */
  boots(before = Infinity): readonly BootLedger[] {
    return [...this.#boots].map(([boot, { readings, controls, channels, bursts }]) => {
      const later = bursts.find((burst) => burst.sampledMs >= before);
      const counted = later === undefined ? readings : later.sequence;
      return {
        boot,
        readings: counted,
        lastSequence: counted - 1,
        channels,
        controlReadings: later?.controls ?? controls,
      };
    });
  }
}
