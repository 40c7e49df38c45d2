import type { Clock, Instant } from "@coalmine/ports";
import { ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { limits } from "./limits.ts";
import { metricKey, type MetricId, type Unit } from "./metric.ts";
import { joined, type Point } from "./statistics.ts";

interface Metric extends MetricId {
  readonly units: readonly Unit[];
  readonly lastAt: Instant;
}

export interface Datum extends MetricId {
  readonly at: Instant;
  readonly unit: Unit;
  readonly point: Point;
  /** Kept by the second too, for three hours. */
  readonly isHighResolution: boolean;
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1000;
const PURGE_EVERY_MS = 3600_000;

/** Metrics, and their points by the minute, and by the second where they were put so. */
export class MetricStore {
  readonly #metrics: Table<Metric>;
  readonly #minutes: Table<Point>;
  readonly #seconds: Table<Point>;
  readonly #clock: Clock;
  #purgedAt: Instant | undefined;

  constructor(options: { readonly store: Store; readonly clock: Clock }) {
    this.#metrics = options.store.table("cloudwatch/metrics");
    this.#minutes = options.store.table("cloudwatch/minutes");
    this.#seconds = options.store.table("cloudwatch/seconds");
    this.#clock = options.clock;
  }

  add(data: readonly Datum[]): void {
    this.#purge();
    for (const datum of data) this.#add(datum);
  }

  *metrics(): Iterable<Metric> {
    for (const [, metric] of this.#metrics.entries()) yield metric;
  }

  /** The points of periods that begin within [from, to), by the period's begin. Without a unit, all of them together. */
  series(id: MetricId, from: Instant, to: Instant, periodMs: number, unit?: Unit): Map<Instant, Point> {
    const key = metricKey(id);
    const points = new Map<Instant, Point>();
    const [table, stepMs] = periodMs < MINUTE_MS ? [this.#seconds, SECOND_MS] : [this.#minutes, MINUTE_MS];
    const keptMs = periodMs < MINUTE_MS ? limits.secondsKeptMs : limits.minutesKeptMs;
    const oldest = Math.max(from, floor(this.#clock.now() - keptMs, periodMs));
    for (const one of unit === undefined ? (this.#metrics.get(key)?.units ?? []) : [unit])
      for (let at = floor(oldest, periodMs); at < to; at += stepMs) {
        const point = table.get(pointKey(key, one, at));
        const begin = floor(at, periodMs);
        if (point !== undefined && begin >= from) points.set(begin, joined(points.get(begin), point));
      }
    return points;
  }

  /** The first unit that it came with. */
  unitOf(id: MetricId): Unit | undefined {
    return this.#metrics.get(metricKey(id))?.units[0];
  }

  #add({ namespace, name, dimensions, at, unit, point, isHighResolution }: Datum): void {
    const id: MetricId = { namespace, name, dimensions };
    const key = metricKey(id);
    const known = this.#metrics.get(key);
    if (known === undefined && this.#metrics.size >= limits.metricsMax)
      throw new ServiceError(
        "LimitExceededFault",
        400,
        `The account has ${limits.metricsMax} metrics already.`,
      );
    const units = known?.units ?? [];
    this.#metrics.set(key, {
      ...id,
      units: units.includes(unit) ? units : [...units, unit],
      lastAt: Math.max(known?.lastAt ?? 0, at),
    });
    const minute = pointKey(key, unit, floor(at, MINUTE_MS));
    this.#minutes.set(minute, joined(this.#minutes.get(minute), point));
    if (!isHighResolution) return;
    const second = pointKey(key, unit, floor(at, SECOND_MS));
    this.#seconds.set(second, joined(this.#seconds.get(second), point));
  }

  /** What is past its time goes once an hour; where there is too much, the older half of the time goes, and again. */
  #purge(): void {
    const now = this.#clock.now();
    const isDue = this.#purgedAt === undefined || now - this.#purgedAt >= PURGE_EVERY_MS;
    if (!isDue && this.#minutes.size + this.#seconds.size <= limits.pointsMax) return;
    this.#purgedAt = now;
    purgeTable(this.#seconds, now - limits.secondsKeptMs);
    let keptMs: number = limits.minutesKeptMs;
    purgeTable(this.#minutes, now - keptMs);
    while (this.#minutes.size > limits.pointsMax && keptMs > MINUTE_MS)
      purgeTable(this.#minutes, now - (keptMs /= 2));
    for (const [key, { lastAt }] of this.#metrics.entries())
      if (lastAt < now - limits.minutesKeptMs) this.#metrics.delete(key);
  }
}

export function floor(at: Instant, periodMs: number): Instant {
  return Math.floor(at / periodMs) * periodMs;
}

function pointKey(metric: string, unit: Unit, at: Instant): string {
  return `${metric}\n${unit}\n${String(at).padStart(14, "0")}`;
}

function purgeTable(table: Table<Point>, oldest: Instant): void {
  for (const [key] of table.entries()) if (Number(key.slice(-14)) < oldest) table.delete(key);
}
