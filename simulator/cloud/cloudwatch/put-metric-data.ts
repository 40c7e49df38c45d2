import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import { invalidCombination, invalidValue, missing, parsed } from "./errors.ts";
import { limits } from "./limits.ts";
import { Dimensions, MetricName, Namespace, Unit } from "./metric.ts";
import type { Datum } from "./metric-store.ts";
import { joined, type Point } from "./statistics.ts";

/** CloudWatch takes numbers of this size. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
const Value = z
  .number()
  .refine((value) => Number.isFinite(value) && Math.abs(value) <= 2 ** 360, "must be within -2^360 to 2^360");
const Values = z.array(Value).max(limits.valuesPerDatumMax);

const MetricDatum = z.object({
  MetricName,
  Dimensions: Dimensions.default({}),
  Timestamp: z.date().optional(),
  Value: Value.optional(),
  Values: Values.optional(),
  Counts: z.array(z.number().positive()).max(limits.valuesPerDatumMax).optional(),
  StatisticValues: z
    .object({ SampleCount: z.number().positive(), Sum: Value, Minimum: Value, Maximum: Value })
    .optional(),
  Unit: Unit.default("None"),
  StorageResolution: z.union([z.literal(1), z.literal(60)]).default(60),
});
const PutMetricData = z.object({
  Namespace: Namespace.refine((name) => !name.startsWith("AWS/"), "AWS/ is reserved"),
  MetricData: z.array(MetricDatum).max(limits.dataPerRequestMax).optional(),
});

/** What a request puts. @throws ServiceError as PutMetricData refuses, all or nothing. */
export function readMetricData(input: unknown, now: Instant): readonly Datum[] {
  const { Namespace: namespace, MetricData } = parsed(PutMetricData, input);
  if (MetricData === undefined) throw missing("MetricData");
  return MetricData.map((datum): Datum => {
    const at = datum.Timestamp?.getTime() ?? now;
    if (at < now - limits.behindMs || at > now + limits.aheadMs)
      throw invalidValue(
        "The value for parameter Timestamp must be within two weeks before and two hours after now.",
      );
    return {
      namespace,
      name: datum.MetricName,
      dimensions: datum.Dimensions,
      at,
      unit: datum.Unit,
      point: pointOf(datum),
      isHighResolution: datum.StorageResolution === 1,
    };
  });
}

function pointOf(datum: z.infer<typeof MetricDatum>): Point {
  const { Value: value, Values: values, Counts: counts, StatisticValues: given } = datum;
  if ([value, values, given].filter((one) => one !== undefined).length > 1)
    throw invalidCombination("The parameters Value, Values and StatisticValues are mutually exclusive.");
  if (given !== undefined)
    return { count: given.SampleCount, sum: given.Sum, min: given.Minimum, max: given.Maximum };
  const all = value === undefined ? (values ?? []) : [value];
  if (all.length === 0) throw missing("Value");
  if (counts !== undefined && counts.length !== all.length)
    throw invalidValue("The parameters Values and Counts must have the same number of items.");
  return pointOfValues(all, counts);
}

/** @throws RangeError for no values. */
export function pointOfValues(values: readonly number[], counts?: readonly number[]): Point {
  return values
    .map((value, at): Point => {
      const count = counts?.[at] ?? 1;
      return { count, sum: value * count, min: value, max: value, values: [[value, count]] };
    })
    .reduce((a, b) => joined(a, b));
}
