import { CloudWatchLogsClient, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { idle } from "./idle.ts";

const logs = new CloudWatchLogsClient({ maxAttempts: 1 });
const logEvents = [{ timestamp: 1, message: "one" }];
// Nobody answers; all that a request needs is loaded by then.
await logs
  .send(new PutLogEventsCommand({ logGroupName: "parts", logStreamName: "one", logEvents }))
  .catch(() => undefined);
idle();
