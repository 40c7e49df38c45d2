import type { AwsError, CloudLogs, Objects, Streams } from "@coalmine/ports";
import { CredentialsRefused } from "../../core-device/credentials/credentials.ts";
import { ReplyLost } from "../../cloud/control/faults.ts";
import { ServiceError, type Caller, type Input, type Output } from "../../cloud/service.ts";

/** The cloud's services as functions, behind the same authorization as at its network door. */
export interface AwsCalls {
  (service: string, operation: string, input: Input): Promise<Output>;
}

/** The way from one device to its cloud: `isOnline` says whether there is one, `spend` what a call costs in time. */
export function awsCalls(
  invoke: (service: string, operation: string, input: Input, caller: Caller) => Promise<Output>,
  caller: () => Promise<Caller>,
  isOnline: () => boolean,
  spend: () => Promise<void>,
): AwsCalls {
  return async (service, operation, input) => {
    await spend();
    if (!isOnline())
      throw new HostedAwsError("NetworkError", undefined, "the device has no way to the cloud");
    try {
      return await invoke(service, operation, input, await caller());
    } catch (refused) {
      if (refused instanceof ServiceError)
        throw new HostedAwsError(refused.code, refused.statusCode, refused.message);
      // An SDK says nothing better of credentials that it could not get.
      if (refused instanceof CredentialsRefused || refused instanceof ReplyLost)
        throw new HostedAwsError("NetworkError", undefined, refused.message);
      throw refused;
    }
  };
}

/** The AWS ports of a hosted component. */
export function awsPorts(
  call: AwsCalls,
  cloudTime: () => number,
): { objects: Objects; cloudLogs: CloudLogs; streams: Streams } {
  return {
    objects: {
      put: async ({ bucket, key, body, contentType, ifNoneMatch }) => {
        const answer: { ETag?: string } = await call("s3", "PutObject", {
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentType: contentType,
          ...(ifNoneMatch ? { IfNoneMatch: "*" } : {}),
        });
        return { etag: answer.ETag ?? "" };
      },
    },
    cloudLogs: {
      createLogGroup: async (logGroupName, settings = {}) =>
        void (await call("logs", "CreateLogGroup", { logGroupName, ...settings })),
      putRetentionPolicy: async (logGroupName, retentionInDays) =>
        void (await call("logs", "PutRetentionPolicy", { logGroupName, retentionInDays })),
      createLogStream: async (logGroupName, logStreamName) =>
        void (await call("logs", "CreateLogStream", { logGroupName, logStreamName })),
      putLogEvents: async (logGroupName, logStreamName, events) => {
        const logEvents = events.map(({ timestampMs, message }) => ({ timestamp: timestampMs, message }));
        const answer: {
          rejectedLogEventsInfo?: {
            tooNewLogEventStartIndex?: number;
            tooOldLogEventEndIndex?: number;
            expiredLogEventEndIndex?: number;
          };
        } = await call("logs", "PutLogEvents", { logGroupName, logStreamName, logEvents });
        const { tooNewLogEventStartIndex, tooOldLogEventEndIndex, expiredLogEventEndIndex } =
          answer.rejectedLogEventsInfo ?? {};
        return {
          ...(tooNewLogEventStartIndex === undefined ? {} : { tooNewStartIndex: tooNewLogEventStartIndex }),
          ...(tooOldLogEventEndIndex === undefined ? {} : { tooOldEndIndex: tooOldLogEventEndIndex }),
          ...(expiredLogEventEndIndex === undefined ? {} : { expiredEndIndex: expiredLogEventEndIndex }),
          serverTimeMs: cloudTime(),
        };
      },
    },
    streams: {
      put: async ({ kind, name }, records) => {
        const Records = records.map(({ data, partitionKey }) => ({
          Data: data,
          ...(kind === "kinesis" ? { PartitionKey: partitionKey ?? "" } : {}),
        }));
        type Answer = { ErrorCode?: string; ErrorMessage?: string };
        const answer: { Records?: Answer[]; RequestResponses?: Answer[] } =
          kind === "kinesis"
            ? await call(kind, "PutRecords", { StreamName: name, Records })
            : await call(kind, "PutRecordBatch", { DeliveryStreamName: name, Records });
        return (answer.Records ?? answer.RequestResponses ?? []).map(({ ErrorCode, ErrorMessage }) =>
          ErrorCode === undefined ? {} : { errorCode: ErrorCode, errorMessage: ErrorMessage ?? "" },
        );
      },
    },
  };
}

export class HostedAwsError extends Error implements AwsError {
  override readonly name = "AwsError";
  readonly code: string;
  readonly statusCode?: number;
  constructor(code: string, statusCode: number | undefined, message: string) {
    super(message);
    this.code = code;
    if (statusCode !== undefined) this.statusCode = statusCode;
  }
}
