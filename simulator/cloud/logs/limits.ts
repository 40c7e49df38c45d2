/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
export const limits = {
  batchBytesMax: 1_048_576,
  /** Counted with each event on top of its UTF-8 bytes. */
  eventOverheadBytes: 26,
  eventBytesMax: 1_048_576,
  batchEventsMax: 10_000,
  batchSpanMs: 24 * 3600_000,
  /** Events further ahead are passed over, as are those further back. */
  aheadMs: 2 * 3600_000,
  behindMs: 14 * 24 * 3600_000,
  /** Ours: what one stream keeps, oldest dropped first. */
  streamEventsMax: 200_000,
} as const;
