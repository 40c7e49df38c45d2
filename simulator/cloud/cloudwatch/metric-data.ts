import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import { invalidValue } from "./errors.ts";
import { limits } from "./limits.ts";
import { MetricInput, Unit } from "./metric.ts";
import { formula, idsOf } from "./metric-math.ts";
import { floor, type MetricStore } from "./metric-store.ts";
import { statisticOf } from "./statistics.ts";

/** Seconds: 1, 5, 10, 20, 30, or minutes. */
export const PeriodSeconds = z
  .number()
  .int()
  .min(1)
  .max(86_400)
  .refine(
    (seconds) => [1, 5, 10, 20, 30].includes(seconds) || seconds % 60 === 0,
    "must be 1, 5, 10, 20, 30 or a multiple of 60",
  );
export const Stat = z
  .string()
  .refine((name) => statisticOf(name) !== undefined, "is no statistic that is simulated");

const Query = z.object({
  Id: z.string().regex(/^[a-z][a-zA-Z0-9_]{0,254}$/),
  MetricStat: z
    .object({ Metric: MetricInput, Period: PeriodSeconds, Stat, Unit: Unit.optional() })
    .optional(),
  Expression: z.string().optional(),
  Label: z.string().optional(),
  ReturnData: z.boolean().default(true),
  Period: PeriodSeconds.optional(),
});
export const Queries = z.array(Query).min(1).max(limits.queriesMax);
export type Query = z.infer<typeof Query>;

/** Values by the begin of their period. */
export type Series = ReadonlyMap<Instant, number>;

/** Answers queries together, since expressions name others. @throws ServiceError */
export function evaluateQueries(
  store: MetricStore,
  queries: readonly Query[],
  from: Instant,
  to: Instant,
): ReadonlyMap<string, Series> {
  const byId = new Map(queries.map((query) => [query.Id, query]));
  if (byId.size !== queries.length) throw invalidValue("The ids of the queries are not all different.");
  const answers = new Map<string, Series>();
  const open = new Set<string>();
  const answer = (id: string): Series => {
    const known = answers.get(id);
    if (known !== undefined) return known;
    const query = byId.get(id);
    if (query === undefined || open.has(id))
      throw invalidValue(
        `Error in expression: '${id}' is ${query === undefined ? "no id of a query" : "part of itself"}.`,
      );
    open.add(id);
    const series =
      query.MetricStat === undefined
        ? expressionSeries(query, answer)
        : metricSeries(store, query.MetricStat, from, to);
    open.delete(id);
    answers.set(id, series);
    return series;
  };
  for (const { Id } of queries) answer(Id);
  return answers;
}

function metricSeries(
  store: MetricStore,
  { Metric, Period, Stat: name, Unit: unit }: NonNullable<Query["MetricStat"]>,
  from: Instant,
  to: Instant,
): Series {
  const statistic = statisticOf(name);
  const series = new Map<Instant, number>();
  const periodMs = Period * 1000;
  for (const [at, point] of store.series(Metric, floor(from, periodMs), to, periodMs, unit)) {
    const value = statistic?.(point);
    if (value !== undefined) series.set(at, value);
  }
  return series;
}

function expressionSeries({ Id, Expression }: Query, answer: (id: string) => Series): Series {
  if (Expression === undefined)
    throw invalidValue(`The query ${Id} has neither a MetricStat nor an Expression.`);
  const evaluate = formula(Expression);
  const parts = new Map(idsOf(Expression).map((id) => [id, answer(id)]));
  const times = new Set([...parts.values()].flatMap((series) => [...series.keys()]));
  const series = new Map<Instant, number>();
  for (const at of times) {
    const value = evaluate((id) => parts.get(id)?.get(at));
    if (value !== undefined) series.set(at, value);
  }
  return series;
}

/** The period of a query: its own, or the longest among those that it is made of. */
export function periodMsOf(query: Query, queries: readonly Query[]): number {
  const own = query.MetricStat?.Period ?? query.Period;
  return (own ?? Math.max(60, ...queries.map(({ MetricStat }) => MetricStat?.Period ?? 0))) * 1000;
}
