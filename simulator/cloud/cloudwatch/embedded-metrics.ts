import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import { limits } from "./limits.ts";
import { Dimensions, MetricName, Namespace, Unit } from "./metric.ts";
import type { Datum } from "./metric-store.ts";
import { pointOfValues } from "./put-metric-data.ts";

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const METRICS_MAX = 100;
const VALUES_MAX = 100;

const Envelope = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace,
        Dimensions: z.array(z.array(z.string()).max(limits.dimensionsMax)),
        Metrics: z
          .array(
            z.object({
              Name: MetricName,
              Unit: Unit.default("None"),
              StorageResolution: z.union([z.literal(1), z.literal(60)]).default(60),
            }),
          )
          .max(METRICS_MAX),
      }),
    ),
  }),
});
const MetricValues = z.union([
  z.number().transform((value) => [value]),
  z.array(z.number()).min(1).max(VALUES_MAX),
]);

/**
 * The metrics in a log line of the embedded metric format; none in any other line. As in CloudWatch a line that is not
 * right stays a line, and a dimension or value that is not there leaves out what needs it.
 */
export function embeddedMetrics(line: string, now: Instant): readonly Datum[] {
  if (!line.includes('"_aws"')) return [];
  const envelope = Envelope.safeParse(jsonOf(line)).data;
  if (envelope === undefined) return [];
  const { Timestamp: at, CloudWatchMetrics: directives } = envelope._aws;
  if (at < now - limits.behindMs || at > now + limits.aheadMs) return [];
  return directives.flatMap((directive) =>
    directive.Dimensions.flatMap((names) => {
      const pairs = names.map((Name) => ({ Name, Value: textOf(envelope[Name]) }));
      const dimensions = Dimensions.safeParse(pairs).data;
      return dimensions === undefined
        ? []
        : directive.Metrics.flatMap(({ Name, Unit: unit, StorageResolution }): Datum[] => {
            const values = MetricValues.safeParse(envelope[Name]).data;
            if (values === undefined) return [];
            return [
              {
                namespace: directive.Namespace,
                name: Name,
                dimensions,
                at,
                unit,
                point: pointOfValues(values),
                isHighResolution: StorageResolution === 1,
              },
            ];
          });
    }),
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
