/** @see https://docs.aws.amazon.com/general/latest/gr/sns.html */
export const limits = {
  messageBytesMax: 256 * 1024,
  subjectCharactersMax: 100,
  batchEntriesMax: 10,
  attributesMax: 10,
  /** Ours; AWS allows 100,000 topics and 12.5 million subscriptions to each. */
  topicsMax: 1000,
  subscriptionsPerTopicMax: 100,
  perPage: 100,
  /** Ours: how often a delivery is tried, and what is waited in between. AWS goes on for up to 23 days. */
  attemptsMax: 3,
  retryMs: 1000,
  /** Ours: deliveries that are under way. Beyond it a message is not delivered, and a warning says so. */
  underWayMax: 1000,
} as const;
