import type { Instant } from "@coalmine/ports";

/** One metric's values under dimensions, as a function's log line carries them to CloudWatch. */
export interface EmbeddedMetric {
  readonly namespace: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Sets of them that the metrics are kept by; all together where none is given. */
  readonly by?: readonly (readonly string[])[];
  readonly metrics: Readonly<
    Record<string, { readonly unit: "Count" | "Milliseconds" | "Bytes"; readonly value: number }>
  >;
  /** Beside the metrics, for whoever reads the log. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
export function embeddedMetric(metric: EmbeddedMetric, at: Instant): string {
  const { namespace, dimensions, metrics, properties = {} } = metric;
  const by = metric.by ?? [Object.keys(dimensions)];
  return JSON.stringify({
    _aws: {
      Timestamp: Math.floor(at),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: by,
          Metrics: Object.entries(metrics).map(([Name, { unit }]) => ({ Name, Unit: unit })),
        },
      ],
    },
    ...properties,
    ...dimensions,
    ...Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value])),
  });
}
