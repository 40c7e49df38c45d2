/** What an alarm's data say. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html */
export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";
/** The comparisons by their names: whether a point breaches. */
export const comparisons: ReadonlyMap<string, (point: number, threshold: number) => boolean> = new Map([
  ["GreaterThanOrEqualToThreshold", (point, threshold) => point >= threshold],
  ["GreaterThanThreshold", (point, threshold) => point > threshold],
  ["LessThanThreshold", (point, threshold) => point < threshold],
  ["LessThanOrEqualToThreshold", (point, threshold) => point <= threshold],
]);
export const missingTreatments = ["breaching", "notBreaching", "ignore", "missing"] as const;

export interface AlarmCondition {
  readonly isBreach: (point: number) => boolean;
  /** N: the points that are looked at. */
  readonly periods: number;
  /** M: how many of them must breach. */
  readonly breachesMin: number;
  readonly missing: (typeof missingTreatments)[number];
}

/** AWS looks further back than N where points are missing; by how many it does not say for each period. */
export const EXTRA_PERIODS = 2;

/**
 * The state that follows from the points of the last N + 2 periods, oldest first, `undefined` where one is missing.
 * Undefined means that the state stays as it was.
 */
export function alarmState(
  { isBreach, periods, breachesMin, missing }: AlarmCondition,
  points: readonly (number | undefined)[],
): AlarmState | undefined {
  const real = points.filter((point) => point !== undefined).slice(-periods);
  const breaches = real.filter(isBreach).length;
  const counted = missing === "breaching" ? breaches + periods - real.length : breaches;
  if (counted >= breachesMin) return "ALARM";
  const areAllBreaches = breaches === real.length;
  if (missing === "ignore" && areAllBreaches) return undefined;
  if (missing === "missing" && areAllBreaches) return real.length === 0 ? "INSUFFICIENT_DATA" : "ALARM";
  return "OK";
}
