import type { Device, Pair } from "../judge/bundle.ts";
import type { FleetHistory } from "../judge/plan.ts";
import { valuesOf, type SourcedMetric } from "./evidence-reader.ts";
import { MINUTE_MS, type EvidenceStore } from "./evidence-store.ts";
import { takeRow, type Tally } from "./tally.ts";

const QUERIES_AT_ONCE = 16;

/** What a fleet has shown over a time, in buckets of whole minutes: what `plan` reckons with. */
export async function fleetHistory(
  store: Pick<EvidenceStore, "minute">,
  devices: readonly Device[],
  metrics: readonly SourcedMetric[],
  { fromMs, toMs, bucketMs }: { readonly fromMs: number; readonly toMs: number; readonly bucketMs: number },
): Promise<FleetHistory> {
  const things = devices.map(({ thing }) => thing);
  const history = Object.fromEntries(
    metrics.map(({ name }) => [name, things.map((): Pair[] => [])] as const),
  );
  const tally: Tally = {};
  for (let start = fromMs; start + bucketMs <= toMs; start += bucketMs) {
    const window = { fromMs: start, toMs: start + bucketMs };
    for (const device of Object.values(tally))
      // Where counters stand is kept, what they counted begins anew.
      Object.assign(device, { heard: 0, counters: {}, sums: {}, components: [], job: undefined });
    const first = Math.floor(start / MINUTE_MS);
    const last = Math.floor(window.toMs / MINUTE_MS);
    for (let minute = first; minute < last; minute += QUERIES_AT_ONCE) {
      const minutes = Array.from({ length: Math.min(QUERIES_AT_ONCE, last - minute) }, (_, i) => minute + i);
      for (const row of (await Promise.all(minutes.map((one) => store.minute(one)))).flat())
        takeRow(tally, row, start);
    }
    for (const [name, pairs] of Object.entries(valuesOf(tally, window, things, metrics)))
      for (const [device, pair] of pairs.entries()) history[name]?.[device]?.push(pair);
  }
  return { devices, bucketMs, metrics: history };
}
