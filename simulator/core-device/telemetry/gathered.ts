import type { Instant, JsonObject } from "@coalmine/ports";

export type Aggregation = "Average" | "Sum";

/** Metrics of one namespace over one interval. */
export interface Point {
  readonly at: Instant;
  readonly namespace: string;
  readonly metrics: readonly Metric[];
}
interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly aggregation: Aggregation;
  readonly value: number;
}

/** Ours: names of metrics that one interval takes; a component that makes up ever new ones loses the rest. */
const NAMES_MAX = 1000;

/** What has been measured since the last interval ended, as sums. */
export class Gathered {
  readonly #byName = new Map<string, Metric & { readonly namespace: string; readonly count: number }>();

  add(namespace: string, metric: Metric): void {
    const key = `${namespace}\n${metric.name}`;
    const known = this.#byName.get(key);
    if (known === undefined && this.#byName.size >= NAMES_MAX) return;
    const value = (known?.value ?? 0) + metric.value;
    this.#byName.set(key, { ...metric, ...known, namespace, value, count: (known?.count ?? 0) + 1 });
  }

  /** One point for each namespace that has anything; the next interval begins with nothing. */
  take(at: Instant): readonly Point[] {
    const byNamespace = new Map<string, Metric[]>();
    for (const { namespace, name, unit, aggregation, value, count } of this.#byName.values()) {
      const metrics = byNamespace.get(namespace) ?? [];
      metrics.push({ name, unit, aggregation, value: aggregation === "Sum" ? value : value / count });
      byNamespace.set(namespace, metrics);
    }
    this.#byName.clear();
    return [...byNamespace].map(([namespace, metrics]) => ({ at, namespace, metrics }));
  }
}

/** The points of a publication, and after them one for each namespace over all of its points. */
export function withWhole(points: readonly Point[], at: Instant): readonly Point[] {
  const whole = new Gathered();
  for (const { namespace, metrics } of points) for (const metric of metrics) whole.add(namespace, metric);
  return [...points, ...whole.take(at)];
}

/** As it travels: whatever a metric was aggregated by, its value is called `Sum`. */
export function wireForm({ at, namespace, metrics }: Point): JsonObject {
  return {
    TS: Math.round(at),
    NS: namespace,
    M: metrics.map(({ name, unit, value }) => ({ N: name, Sum: value, U: unit })),
  };
}
