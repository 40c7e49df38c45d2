/**
 * AWS data services. One call is one request, with the service's own error codes: retry, back-off and batching belong
 * to the component, so that they are rehearsed.
 */

/** A refusal or failure of an AWS service or of the way to it. */
export interface AwsError extends Error {
  readonly name: "AwsError";
  /** The service's own code (`PreconditionFailed`, `ThrottlingException`, …), or `NetworkError` when no answer came. */
  readonly code: string;
  readonly statusCode?: number;
  readonly retryAfterMs?: number;
}

export interface Objects {
  /** S3 PutObject with the SHA-256 of `body` as checksum; `ifNoneMatch` refuses to overwrite (412 PreconditionFailed). */
  put(request: {
    readonly bucket: string;
    readonly key: string;
    readonly body: Uint8Array;
    readonly contentType: string;
    readonly ifNoneMatch: boolean;
  }): Promise<{ readonly etag: string }>;
}

export interface StreamRecord {
  readonly data: Uint8Array;
  readonly partitionKey?: string;
}

export interface Streams {
  /** Kinesis PutRecords, or Firehose PutRecordBatch where the target is a delivery stream. Answers per record. */
  put(
    target: { readonly kind: "kinesis" | "firehose"; readonly name: string },
    records: readonly StreamRecord[],
  ): Promise<readonly { readonly errorCode?: string; readonly errorMessage?: string }[]>;
}

export interface LogEvent {
  readonly timestampMs: number;
  readonly message: string;
}

export interface LogGroupSettings {
  readonly kmsKeyId?: string | undefined;
  readonly logGroupClass?: "STANDARD" | "INFREQUENT_ACCESS" | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Set by a request of its own once the group is there. */
  readonly retentionDays?: number | undefined;
}

export interface CloudLogs {
  createLogGroup(group: string, settings?: Omit<LogGroupSettings, "retentionDays">): Promise<void>;
  putRetentionPolicy(group: string, retentionDays: number): Promise<void>;
  createLogStream(group: string, stream: string): Promise<void>;
  /** PutLogEvents. The indexes say what the service did not keep, by its own words. */
  putLogEvents(
    group: string,
    stream: string,
    events: readonly LogEvent[],
  ): Promise<{
    readonly tooNewStartIndex?: number;
    readonly tooOldEndIndex?: number;
    readonly expiredEndIndex?: number;
    /** The service's own time, from the answer's `Date`, for a device whose clock is wrong. */
    readonly serverTimeMs?: number;
  }>;
}
