/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
export const limits = {
  secretBytesMax: 65_536,
  stagesPerVersionMax: 20,
  /** Versions without a stage go beyond this. */
  versionsPerSecretMax: 100,
  perPage: 100,
  recoveryDays: { least: 7, usual: 30, most: 30 },
  /** Ours; AWS allows 500,000. */
  secretsMax: 10_000,
} as const;
