import { CloudWatchClient, ListMetricsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CodePipelineClient, ListPipelinesCommand } from "@aws-sdk/client-codepipeline";
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { FirehoseClient, ListDeliveryStreamsCommand } from "@aws-sdk/client-firehose";
import { GetTableCommand, GlueClient } from "@aws-sdk/client-glue";
import { GreengrassV2Client, ListComponentsCommand } from "@aws-sdk/client-greengrassv2";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateThingCommand, DescribeThingCommand, IoTClient, UpdateThingCommand } from "@aws-sdk/client-iot";
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import { GetPendingJobExecutionsCommand, IoTJobsDataPlaneClient } from "@aws-sdk/client-iot-jobs-data-plane";
import { KinesisClient, ListStreamsCommand } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ListServiceQuotasCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Where a cloud is, and its operator's credentials. */
export interface Api {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The unmodified clients of the five services of the mix. */
export interface Clients {
  readonly s3: S3Client;
  readonly dynamo: DynamoDBClient;
  readonly data: IoTDataPlaneClient;
  readonly iot: IoTClient;
  readonly logs: CloudWatchLogsClient;
}

function settings({ region, accessKeyId, secretAccessKey }: Api, endpoint: string, connections: number) {
  const requestHandler = new NodeHttpHandler({ httpAgent: { keepAlive: true, maxSockets: connections } });
  const credentials = { accessKeyId, secretAccessKey };
  return { endpoint, region, credentials, maxAttempts: 1, requestHandler };
}

/** With the operator's credentials of `api`, to whatever listens at `endpoint`. */
export function clientsOf(api: Api, endpoint: string, connections: number): Clients {
  const shared = settings(api, endpoint, connections);
  return {
    s3: new S3Client(shared),
    dynamo: new DynamoDBClient(shared),
    data: new IoTDataPlaneClient(shared),
    iot: new IoTClient(shared),
    logs: new CloudWatchLogsClient(shared),
  };
}

const TOUCHES_AT_ONCE = 4;

/** One request to every service that has a client here; what it answers does not matter. */
export async function touchAll(api: Api): Promise<void> {
  const shared = settings(api, api.endpoint, TOUCHES_AT_ONCE);
  const { s3, dynamo, data, iot, logs } = clientsOf(api, api.endpoint, TOUCHES_AT_ONCE);
  const touched = [
    s3.send(new GetObjectCommand({ Bucket: "none", Key: "none" })),
    dynamo.send(new GetItemCommand({ TableName: "none", Key: {} })),
    data.send(new GetThingShadowCommand({ thingName: "none" })),
    iot.send(new DescribeThingCommand({ thingName: "none" })),
    logs.send(new DescribeLogGroupsCommand({})),
    new GreengrassV2Client(shared).send(new ListComponentsCommand({})),
    new KinesisClient(shared).send(new ListStreamsCommand({})),
    new FirehoseClient(shared).send(new ListDeliveryStreamsCommand({})),
    new CodePipelineClient(shared).send(new ListPipelinesCommand({})),
    new CloudWatchClient(shared).send(new ListMetricsCommand({})),
    new EventBridgeClient(shared).send(new ListRulesCommand({})),
    new GlueClient(shared).send(new GetTableCommand({ DatabaseName: "none", Name: "none" })),
    new IAMClient(shared).send(new GetRoleCommand({ RoleName: "none" })),
    new IoTJobsDataPlaneClient(shared).send(new GetPendingJobExecutionsCommand({ thingName: "none" })),
    new SecretsManagerClient(shared).send(new ListSecretsCommand({})),
    new ServiceQuotasClient(shared).send(new ListServiceQuotasCommand({ ServiceCode: "iot" })),
    new SNSClient(shared).send(new ListTopicsCommand({})),
    new STSClient(shared).send(new GetCallerIdentityCommand({})),
  ];
  await Promise.allSettled(touched);
}

const OBJECT_BYTES = 1024;

type Send = (clients: Clients, n: number, value: number) => Promise<unknown>;
export interface Kind {
  readonly service: string;
  readonly read: Send;
  readonly write: Send;
}

/** A read and a write of each of five services: of what has the number `n`, to which `value` is written. */
export const kinds: readonly Kind[] = [
  {
    service: "s3",
    read: ({ s3 }, n) => s3.send(new GetObjectCommand({ Bucket: "bench", Key: `object-${n}` })),
    write: ({ s3 }, n, value) =>
      s3.send(
        new PutObjectCommand({
          Bucket: "bench",
          Key: `object-${n}`,
          Body: Buffer.alloc(OBJECT_BYTES, `value ${value} of object ${n}; `),
        }),
      ),
  },
  {
    service: "dynamodb",
    read: ({ dynamo }, n) =>
      dynamo.send(new GetItemCommand({ TableName: "bench", Key: { k: { S: `k${n}` } } })),
    write: ({ dynamo }, n, value) =>
      dynamo.send(
        new PutItemCommand({ TableName: "bench", Item: { k: { S: `k${n}` }, value: { N: String(value) } } }),
      ),
  },
  {
    service: "iotdata",
    read: ({ data }, n) => data.send(new GetThingShadowCommand({ thingName: `thing-${n}` })),
    write: ({ data }, n, value) =>
      data.send(
        new UpdateThingShadowCommand({
          thingName: `thing-${n}`,
          payload: Buffer.from(JSON.stringify({ state: { reported: { value } } })),
        }),
      ),
  },
  {
    service: "iot",
    read: ({ iot }, n) => iot.send(new DescribeThingCommand({ thingName: `thing-${n}` })),
    write: ({ iot }, n, value) =>
      iot.send(
        new UpdateThingCommand({
          thingName: `thing-${n}`,
          attributePayload: { attributes: { value: String(value) } },
        }),
      ),
  },
  {
    service: "logs",
    read: ({ logs }) => logs.send(new DescribeLogStreamsCommand({ logGroupName: "bench" })),
    write: ({ logs }, n, value) =>
      logs.send(
        new PutLogEventsCommand({
          logGroupName: "bench",
          logStreamName: "bench",
          logEvents: [{ timestamp: Date.now(), message: `${value} of ${n}` }],
        }),
      ),
  },
];

/** What the mix reads and writes is there before the first round. */
export async function prepare(clients: Clients, names: readonly number[]): Promise<void> {
  const { s3, dynamo, iot, logs } = clients;
  await s3.send(new CreateBucketCommand({ Bucket: "bench" }));
  await dynamo.send(
    new CreateTableCommand({
      TableName: "bench",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    }),
  );
  await logs.send(new CreateLogGroupCommand({ logGroupName: "bench" }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: "bench", logStreamName: "bench" }));
  await Promise.all(names.map((n) => iot.send(new CreateThingCommand({ thingName: `thing-${n}` }))));
  await Promise.all(names.flatMap((n) => kinds.map(({ write }) => write(clients, n, 0))));
}
