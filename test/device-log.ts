import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { componentNames } from "@coalmine/contract";
import type { Closing } from "@coalmine/runtime";
import { clientSettings, type Target } from "../pipeline/target.ts";

/** Inference's log of one device, where log-manager would have it: what it gives puts lines of this moment into it. */
export async function deviceLog(
  closing: Closing,
  target: Target,
  thing: string,
  now: () => number,
): Promise<(messages: readonly string[]) => Promise<void>> {
  const logs = closing.add(new CloudWatchLogsClient(clientSettings(target)), (client) => client.destroy());
  const logGroupName = `/aws/greengrass/UserComponent/${target.region}/${componentNames.inference}`;
  const day = new Date(now()).toISOString().slice(0, 10).replaceAll("-", "/");
  const logStreamName = `/${day}/thing/${thing}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return async (messages) => {
    const logEvents = messages.map((message) => ({ timestamp: now(), message }));
    await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
  };
}
