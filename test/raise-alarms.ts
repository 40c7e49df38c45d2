import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Clock } from "@coalmine/ports";
import type { Closing } from "@coalmine/runtime";
import { COMMISSIONING_TABLE } from "../api/claims/claim-cloud.ts";
import type { Region } from "../pipeline/controller/region.ts";
import { ensureTable } from "../pipeline/evidence/table.ts";
import { clientSettings } from "../pipeline/target.ts";

/** An alarm of CloudWatch that rings, and a device that the allow-list refused. */
export async function raiseAlarms(closing: Closing, region: Region, clock: Clock): Promise<void> {
  const { target, dynamodb } = region;
  const cloudwatch = closing.add(new CloudWatchClient(clientSettings(target)), (client) => client.destroy());
  const AlarmName = "Readings are lost";
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName,
      AlarmDescription: "Look at the uploader's backlog.",
      Namespace: "Coalmine",
      MetricName: "lost",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
    }),
  );
  await cloudwatch.send(
    new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "7 were lost" }),
  );
  const keys = { name: COMMISSIONING_TABLE, hash: "item", range: { name: "sort", type: "S" } } as const;
  await ensureTable(dynamodb, { ...keys, expires: "expires" }, clock);
  const refusal = { reason: "site", message: "it stands at another site" };
  await dynamodb.send(
    new PutItemCommand({
      TableName: COMMISSIONING_TABLE,
      Item: {
        item: { S: "code#ABCD" },
        sort: { S: "code" },
        refusal: { S: JSON.stringify(refusal) },
        refusedMs: { N: String(clock.now()) },
      },
    }),
  );
}
