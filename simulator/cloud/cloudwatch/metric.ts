import * as z from "zod";
import { limits } from "./limits.ts";

/** Names of metrics, their dimensions, and how they are told. */
const NameText = z.string().min(1).max(255);
export const Dimensions = z
  .array(z.object({ Name: NameText, Value: z.string().min(1).max(1024) }))
  .max(limits.dimensionsMax)
  .transform((pairs) => Object.fromEntries(pairs.map(({ Name, Value }) => [Name, Value])));
export const Namespace = NameText.regex(/^[^:]/);
export const MetricName = NameText;
const units = new Set(
  "Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second Count/Second None".split(
    " ",
  ),
);
export const Unit = z.string().refine((unit) => units.has(unit), "is no unit of CloudWatch");
export type Unit = z.infer<typeof Unit>;

export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** As requests name a metric. */
export const MetricInput = z
  .object({ Namespace, MetricName, Dimensions: Dimensions.default({}) })
  .transform((metric): MetricId => ({
    namespace: metric.Namespace,
    name: metric.MetricName,
    dimensions: metric.Dimensions,
  }));

export function metricKey({ namespace, name, dimensions }: MetricId): string {
  const pairs = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([namespace, name, ...pairs.flat()]);
}

export function metricOutput({ namespace, name, dimensions }: MetricId): object {
  return {
    Namespace: namespace,
    MetricName: name,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
}
