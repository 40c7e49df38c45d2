/** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
export const limits = {
  requestRecordsMax: 500,
  /** Partition keys included. */
  requestBytesMax: 10 * 1024 * 1024,
  /** Data and partition key. A stream may be set to take up to 10 MiB; ours are not. */
  recordBytesMax: 1024 * 1024,
  partitionKeyCharactersMax: 256,
  /** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html */
  getRecordsMax: 10_000,
  getBytesMax: 10 * 1024 * 1024,
  iteratorMs: 5 * 60_000,
  shardsMax: 1000,
  /** Ours: what one stream keeps, oldest dropped first, whatever its retention. */
  streamRecordsMax: 100_000,
} as const;
