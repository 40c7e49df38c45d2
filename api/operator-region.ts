import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { closeRegion, openRegion, type Region } from "../pipeline/controller/region.ts";
import { clientSettings, type Target } from "../pipeline/target.ts";

/** A region as operators look at it: its alarms and its devices' logs too. */
export interface OperatorRegion extends Region {
  readonly cloudwatch: CloudWatchClient;
  readonly logs: CloudWatchLogsClient;
}

export function openOperatorRegion(target: Target, accountId: string): OperatorRegion {
  return {
    ...openRegion(target, accountId),
    cloudwatch: new CloudWatchClient(clientSettings(target)),
    logs: new CloudWatchLogsClient(clientSettings(target)),
  };
}

export function closeOperatorRegion(region: OperatorRegion): void {
  closeRegion(region);
  for (const client of [region.cloudwatch, region.logs]) client.destroy();
}
