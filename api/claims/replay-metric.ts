/** In CloudWatch: a code was shown again. */
export const replayMetric = { Namespace: "Coalmine/Commissioning", MetricName: "ClaimReplayed" } as const;
