/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
export const limits = {
  rulesMax: 300,
  targetsPerRuleMax: 5,
  patternCharactersMax: 2048,
  entriesMax: 10,
  requestBytesMax: 256 * 1024,
  inputCharactersMax: 8192,
  perPage: 100,
  /** Ours: how often a target is tried, and what is waited in between. AWS goes on for a day. */
  attemptsMax: 3,
  retryMs: 1000,
  /** Ours: targets that are under way. Beyond it an event does not reach its target, and a warning says so. */
  underWayMax: 1000,
} as const;
