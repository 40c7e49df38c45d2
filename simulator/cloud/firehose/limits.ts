/** @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
export const limits = {
  batchRecordsMax: 500,
  batchBytesMax: 4 * 1024 * 1024,
  /** Before base64. */
  recordBytesMax: 1000 * 1024,
  /** @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html */
  /** With conversion of the record format a buffer is larger. */
  conversionSizeMiB: { least: 64, usual: 128 },
  buffer: { sizeMiB: { least: 1, usual: 5, most: 128 }, seconds: { least: 0, usual: 300, most: 900 } },
} as const;
