/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
export const limits = {
  dataPerRequestMax: 1000,
  dimensionsMax: 30,
  valuesPerDatumMax: 150,
  /** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
  behindMs: 14 * 24 * 3600_000,
  aheadMs: 2 * 3600_000,
  /** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention */
  minutesKeptMs: 15 * 24 * 3600_000,
  secondsKeptMs: 3 * 3600_000,
  statisticsPointsMax: 1440,
  queriesMax: 500,
  dataPointsMax: 100_800,
  metricsPerPage: 500,
  alarmNameCharactersMax: 255,
  alarmActionsMax: 5,
  /** Ours: what is kept. Beyond it a new metric or alarm is refused, and the oldest points go. */
  metricsMax: 20_000,
  pointsMax: 500_000,
  alarmsMax: 5000,
  historyPerAlarmMax: 100,
  /** Ours: different values of a minute, for percentiles; with more it has none. */
  distinctValuesMax: 500,
  /** Ours: how deep and how long a metric math expression may be. */
  mathCharactersMax: 1024,
  mathDepthMax: 32,
} as const;
