import type { CloudWatchLogsClient, CloudWatchLogsClientConfig } from "@aws-sdk/client-cloudwatch-logs";
import type { CloudLogs } from "@coalmine/ports";
import * as z from "zod";
import { asked, clientSettings } from "./aws-error.ts";
import { compressRequest } from "./compressed-request.ts";

const Answer = z.object({ headers: z.record(z.string(), z.string()) });

/** Amazon CloudWatch Logs. Endpoint and credentials come as the SDK finds them. */
export function cloudWatchLogs(config: CloudWatchLogsClientConfig & { readonly region: string }): CloudLogs {
  let made: CloudWatchLogsClient | undefined;
  const loaded = async () => {
    const sdk = await import("./cloud-logs-client.ts");
    made ??= new sdk.CloudWatchLogsClient({ ...clientSettings, ...config });
    return { ...sdk, client: made };
  };
  return {
    createLogGroup: async (logGroupName, { kmsKeyId, logGroupClass, tags } = {}) => {
      const { client, CreateLogGroupCommand } = await loaded();
      const command = new CreateLogGroupCommand({
        logGroupName,
        ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
        ...(logGroupClass === undefined ? {} : { logGroupClass }),
        ...(tags === undefined ? {} : { tags }),
      });
      await asked(`creating log group ${logGroupName}`, () => client.send(command));
    },
    putRetentionPolicy: async (logGroupName, retentionInDays) => {
      const { client, PutRetentionPolicyCommand } = await loaded();
      const command = new PutRetentionPolicyCommand({ logGroupName, retentionInDays });
      await asked(`setting the retention of log group ${logGroupName}`, () => client.send(command));
    },
    createLogStream: async (logGroupName, logStreamName) => {
      const { client, CreateLogStreamCommand } = await loaded();
      const command = new CreateLogStreamCommand({ logGroupName, logStreamName });
      await asked(`creating log stream ${logGroupName}/${logStreamName}`, () => client.send(command));
    },
    putLogEvents: async (logGroupName, logStreamName, events) => {
      const { client, PutLogEventsCommand } = await loaded();
      const logEvents = events.map(({ timestampMs, message }) => ({ timestamp: timestampMs, message }));
      const command = new PutLogEventsCommand({ logGroupName, logStreamName, logEvents });
      let serverTimeMs = Number.NaN;
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          serverTimeMs = Date.parse(Answer.safeParse(result.response).data?.headers["date"] ?? "");
          return result;
        },
        { step: "deserialize", name: "serverTime" },
      );
      command.middlewareStack.add(
        (next) => async (args) => {
          await compressRequest(args.request);
          return next(args);
        },
        // Before the body is measured and signed.
        { step: "build", priority: "high", name: "compressed" },
      );
      const answer = await asked(`putting log events to ${logGroupName}/${logStreamName}`, () =>
        client.send(command),
      );
      const info = answer.rejectedLogEventsInfo;
      return {
        ...(info?.tooNewLogEventStartIndex === undefined
          ? {}
          : { tooNewStartIndex: info.tooNewLogEventStartIndex }),
        ...(info?.tooOldLogEventEndIndex === undefined
          ? {}
          : { tooOldEndIndex: info.tooOldLogEventEndIndex }),
        ...(info?.expiredLogEventEndIndex === undefined
          ? {}
          : { expiredEndIndex: info.expiredLogEventEndIndex }),
        ...(Number.isNaN(serverTimeMs) ? {} : { serverTimeMs }),
      };
    },
  };
}
