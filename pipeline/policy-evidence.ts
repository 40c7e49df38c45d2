import type { healthKeys } from "@coalmine/contract";
import type { Pair } from "./judge/bundle.ts";
import type { MetricSource } from "./policy-metric.ts";

/** What one device counted over one span of time: differences of its cumulative counters, restarts already bridged. */
export interface DeviceTotals {
  readonly heartbeats: { readonly heard: number; readonly expected: number };
  /** Absent where nothing was heard of the component. */
  readonly components: Partial<
    Readonly<
      Record<
        keyof typeof healthKeys,
        {
          readonly counters: Readonly<Record<string, number>>;
          readonly sums: Readonly<Record<string, { readonly sum: number; readonly count: number }>>;
        }
      >
    >
  >;
}

/** The pair that a metric makes of a device; null where the device did not say. */
export function pairOf(source: MetricSource, totals: DeviceTotals | undefined): Pair {
  if (totals === undefined) return null;
  const { heard, expected } = totals.heartbeats;
  if (source === "heartbeats") return expected > 0 ? [Math.min(heard, expected), expected] : null;
  const component = totals.components[source.component];
  if (component === undefined) return null;
  if ("sum" in source) {
    const observed = component.sums[source.sum];
    return observed === undefined || observed.count === 0 ? null : [observed.sum, observed.count];
  }
  const numerator = component.counters[source.counter];
  const denominator = source.per === "heartbeats" ? expected : component.counters[source.per];
  return numerator === undefined || denominator === undefined || denominator === 0
    ? null
    : [numerator, denominator];
}
