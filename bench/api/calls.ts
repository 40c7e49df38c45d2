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
import { FirehoseClient, ListDeliveryStreamsCommand } from "@aws-sdk/client-firehose";
import { GreengrassV2Client, ListComponentsCommand } from "@aws-sdk/client-greengrassv2";
import { CreateThingCommand, DescribeThingCommand, IoTClient, UpdateThingCommand } from "@aws-sdk/client-iot";
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import { KinesisClient, ListStreamsCommand } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
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
  ];
  await Promise.allSettled(touched);
}

/** Names that rounds write and read. */
const NAMES = 100;
const OBJECT_BYTES = 1024;

export interface Call {
  /** Calls of one name are alike in every byte that counts. */
  readonly name: string;
  readonly durable: boolean;
  send(clients: Clients): Promise<unknown>;
}
type Send = (clients: Clients, n: number, round: number) => Promise<unknown>;

/** A read and a write of each of five services. An object's bytes are written once; what else is written, again. */
const kinds: readonly { readonly name: string; readonly read: Send; readonly write: Send }[] = [
  {
    name: "s3",
    read: ({ s3 }, n) => s3.send(new GetObjectCommand({ Bucket: "bench", Key: `object-${n % NAMES}` })),
    write: ({ s3 }, n, round) =>
      s3.send(
        new PutObjectCommand({
          Bucket: "bench",
          Key: `object-${n % NAMES}`,
          Body: Buffer.alloc(OBJECT_BYTES, `round ${round}, request ${n}; `),
        }),
      ),
  },
  {
    name: "dynamodb",
    read: ({ dynamo }, n) =>
      dynamo.send(new GetItemCommand({ TableName: "bench", Key: { k: { S: `k${n % NAMES}` } } })),
    write: ({ dynamo }, n, round) =>
      dynamo.send(
        new PutItemCommand({
          TableName: "bench",
          Item: { k: { S: `k${n % NAMES}` }, round: { N: String(round) } },
        }),
      ),
  },
  {
    name: "iotdata",
    read: ({ data }, n) => data.send(new GetThingShadowCommand({ thingName: `thing-${n % NAMES}` })),
    write: ({ data }, n, round) =>
      data.send(
        new UpdateThingShadowCommand({
          thingName: `thing-${n % NAMES}`,
          payload: Buffer.from(JSON.stringify({ state: { reported: { round } } })),
        }),
      ),
  },
  {
    name: "iot",
    read: ({ iot }, n) => iot.send(new DescribeThingCommand({ thingName: `thing-${n % NAMES}` })),
    write: ({ iot }, n, round) =>
      iot.send(
        new UpdateThingCommand({
          thingName: `thing-${n % NAMES}`,
          attributePayload: { attributes: { round: String(round) } },
        }),
      ),
  },
  {
    name: "logs",
    read: ({ logs }) => logs.send(new DescribeLogStreamsCommand({ logGroupName: "bench" })),
    write: ({ logs }, n) =>
      logs.send(
        new PutLogEventsCommand({
          logGroupName: "bench",
          logStreamName: "bench",
          logEvents: [{ timestamp: Date.now(), message: `line ${n % NAMES}` }],
        }),
      ),
  },
];

/** Three reads for two writes, over all five in turn. */
export function mixed(count: number, round: number): Call[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[Math.floor(index / 5) % kinds.length];
    if (kind === undefined) throw new RangeError("no such kind");
    const durable = index % 5 >= 3;
    const n = index * 7;
    const which = durable && kind.name === "s3" ? n : n % NAMES;
    return {
      name: `${kind.name} ${durable ? "write" : "read"} ${which}`,
      durable,
      send: (clients) => (durable ? kind.write : kind.read)(clients, n, round),
    };
  });
}

/** What the mix reads and writes is there before the first round. */
export async function prepare(clients: Clients): Promise<void> {
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
  for (let n = 0; n < NAMES; n++) {
    await iot.send(new CreateThingCommand({ thingName: `thing-${n}` }));
    await Promise.all(kinds.map(({ write }) => write(clients, n, 0)));
  }
}
