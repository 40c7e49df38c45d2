import { limits } from "./limits.ts";

/** What was put for one metric in one minute or second. */
export interface Point {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Each value with how often it came; absent where only its statistics are known. */
  readonly values?: readonly (readonly [value: number, count: number])[];
}

export type Statistic = (point: Point) => number | undefined;

const simple: Readonly<Record<string, Statistic>> = {
  SampleCount: ({ count }) => count,
  Sum: ({ sum }) => sum,
  Average: ({ sum, count }) => sum / count,
  Minimum: ({ min }) => min,
  Maximum: ({ max }) => max,
};

/** `Average`, …, or `p99.9`; undefined for what is no statistic here. */
export function statisticOf(name: string): Statistic | undefined {
  const percent = /^p(100|\d{1,2}(?:\.\d{1,10})?)$/.exec(name)?.[1];
  if (percent !== undefined) return (point) => percentile(point, Number(percent) / 100);
  return Object.hasOwn(simple, name) ? simple[name] : undefined;
}

export function joined(a: Point | undefined, b: Point): Point {
  if (a === undefined) return b;
  const values = a.values && b.values && joinedValues(a.values, b.values);
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    ...(values === undefined ? {} : { values }),
  };
}

type Values = NonNullable<Point["values"]>;

function joinedValues(a: Values, b: Values): Values | undefined {
  const counts = new Map(a);
  for (const [value, count] of b) counts.set(value, (counts.get(value) ?? 0) + count);
  return counts.size > limits.distinctValuesMax ? undefined : [...counts];
}

/** Between the two nearest ranks. Where values are not known, only of a single value. */
function percentile({ values, count, min, max }: Point, part: number): number | undefined {
  if (values === undefined) return count === 1 || min === max ? min : undefined;
  const sorted = values.toSorted(([a], [b]) => a - b);
  const rank = part * (count - 1);
  const at = (wanted: number): number => {
    let seen = 0;
    for (const [value, times] of sorted) {
      seen += times;
      if (seen > wanted) return value;
    }
    return max;
  };
  const [low, high] = [at(Math.floor(rank)), at(Math.ceil(rank))];
  return low + (high - low) * (rank - Math.floor(rank));
}
