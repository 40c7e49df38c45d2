import * as z from "zod";
import type { Look, Pair } from "../judge/bundle.ts";
import { pairOf } from "../policy-evidence.ts";
import type { MetricSource } from "../policy-metric.ts";
import { MINUTE_MS, type EvidenceStore } from "./evidence-store.ts";
import type { EvidenceRow } from "./row.ts";
import { failureOf, takeRow, Tally, totalsOf, wasGiven } from "./tally.ts";

/** How far before a window counters are looked for, to know where they stood at its beginning. */
const LEAD_MINUTES = 10;
/** Rows may come this late and still count, without reading all again. */
const LATE_MINUTES = 2;
const QUERIES_AT_ONCE = 16;

/** What of a metric is needed to read its pairs. */
export interface SourcedMetric {
  readonly name: string;
  readonly of: MetricSource;
}

/** How far a window has been read; plain data, so that nobody has to read a day of rows again after a crash. */
export const ReaderState = z.object({ fromMs: z.number(), nextMinute: z.int(), tally: Tally });
export type ReaderState = z.infer<typeof ReaderState>;

/** Reads one window of one target, minute by minute, and goes on where it was. */
export class EvidenceReader {
  readonly #store: Pick<EvidenceStore, "minute">;
  #state: ReaderState;

  constructor(store: Pick<EvidenceStore, "minute">, from: number | ReaderState) {
    this.#store = store;
    this.#state =
      typeof from === "number"
        ? { fromMs: from, nextMinute: Math.floor(from / MINUTE_MS) - LEAD_MINUTES, tally: {} }
        : structuredClone(from);
  }

  /** What rows say up to `toMs`. The last minutes are read anew each time, since rows may be on their way. */
  async tallyAt(toMs: number): Promise<Tally> {
    const last = Math.floor(toMs / MINUTE_MS);
    await this.#read(this.#state.nextMinute, last - LATE_MINUTES, this.#state.tally, toMs);
    this.#state.nextMinute = Math.max(this.#state.nextMinute, last - LATE_MINUTES);
    const tally = structuredClone(this.#state.tally);
    await this.#read(this.#state.nextMinute, last + 1, tally, toMs);
    return tally;
  }

  state(): ReaderState {
    return this.#state;
  }

  async #read(fromMinute: number, untilMinute: number, tally: Tally, toMs: number): Promise<void> {
    // Rows are taken in order, while later minutes are on their way already.
    const asked: Promise<EvidenceRow[]>[] = [];
    let next = fromMinute;
    try {
      for (let minute = fromMinute; minute < untilMinute; minute++) {
        while (next < untilMinute && next - minute < QUERIES_AT_ONCE) {
          const rows = this.#store.minute(next++);
          // One that fails before its turn is told at its turn, and is nobody's unhandled rejection until then.
          rows.catch(() => undefined);
          asked.push(rows);
        }
        for (const row of (await asked.shift()) ?? [])
          if (row.atMs <= toMs) takeRow(tally, row, this.#state.fromMs);
      }
    } finally {
      await Promise.allSettled(asked);
    }
  }
}

/** One look: pairs since the assignment, who has the release, and who fails. */
export function lookOf(
  tally: Tally,
  window: { readonly fromMs: number; readonly toMs: number },
  fleet: {
    readonly things: readonly string[];
    readonly canary: readonly string[];
    /** Devices that report the candidate. */
    readonly onCandidate: ReadonlySet<string>;
  },
  metrics: readonly SourcedMetric[],
): Look {
  const { things, canary, onCandidate } = fleet;
  return {
    elapsedMs: window.toMs - window.fromMs,
    values: valuesOf(tally, window, things, metrics),
    updated: canary.filter((thing) => onCandidate.has(thing) || wasGiven(tally[thing])),
    failing: things.flatMap((thing) => {
      const how = failureOf(tally[thing], window.toMs);
      return how === undefined ? [] : [{ thing, how }];
    }),
  };
}

/** Metric → one pair a device, in their order; null where a device was never seen or did not say. */
export function valuesOf(
  tally: Tally,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  things: readonly string[],
  metrics: readonly SourcedMetric[],
): Record<string, Pair[]> {
  const totals = things.map((thing) => totalsOf(tally[thing], fromMs, toMs));
  return Object.fromEntries(metrics.map(({ name, of }) => [name, totals.map((one) => pairOf(of, one))]));
}
