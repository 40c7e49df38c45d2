import * as z from "zod";
import { invalid, parsed } from "../iot/operation.ts";
import { writeLines, type Line } from "../logs/write-lines.ts";
import type { Input, Output } from "../service.ts";
import { dynamoDbItem } from "./dynamodb-item.ts";
import { republish, type Publish } from "./republish.ts";
import type { MessageContext } from "./sql/functions.ts";
import { isSqlArray, toNumber, type SqlValue } from "./sql/value.ts";
import { template } from "./template.ts";

/** What an action works on: the incoming message, and what the rule's SELECT made of it. */
export interface RuleMessage {
  readonly ruleName: string;
  readonly payload: SqlValue;
  readonly context: MessageContext;
  readonly output: SqlValue;
  readonly republished: number;
}

/** The rest of the cloud, as the actions reach it. */
export interface ActionPorts {
  readonly invoke: (service: string, operation: string, input: Input) => Promise<Output>;
  readonly publish: Publish;
  readonly callFunction: (arn: string, event: unknown) => Promise<unknown>;
}

export interface PreparedAction {
  /** As error actions are told it, e.g. `S3Action`. */
  readonly name: string;
  /** The bucket, stream, topic, … that it goes to, templates as they are written. */
  readonly resource: string;
  readonly run: (message: RuleMessage, ports: ActionPorts) => Promise<unknown>;
}

/** The actions by their names in the API. */
const actions: ReadonlyMap<string, (input: unknown) => PreparedAction> = new Map([
  [
    "republish",
    action(
      "RepublishAction",
      z.object({
        topic: z.string(),
        qos: z.union([z.literal(0), z.literal(1)]).nullish(),
        headers: z
          .object({
            payloadFormatIndicator: z.enum(["UNSPECIFIED_BYTES", "UTF8_DATA"]).nullish(),
            contentType: z.string().nullish(),
            responseTopic: z.string().nullish(),
            correlationData: z.base64().nullish(),
            userProperties: z.array(z.object({ key: z.string(), value: z.string() })).nullish(),
          })
          .nullish(),
      }),
      ({ topic, qos, headers }) => ({ resource: topic, run: republish(topic, qos ?? 0, headers ?? {}) }),
    ),
  ],
  [
    "s3",
    action("S3Action", z.object({ bucketName: z.string(), key: z.string() }), ({ bucketName, key }) => {
      const keyOf = template(key);
      return {
        resource: bucketName,
        run: (message, { invoke }) =>
          invoke("s3", "PutObject", {
            Bucket: bucketName,
            Key: keyOf(message.payload, message.context),
            Body: outputBytes(message.output),
          }),
      };
    }),
  ],
  [
    "firehose",
    action(
      "FirehoseAction",
      z.object({
        deliveryStreamName: z.string(),
        separator: z.enum(["\n", "\t", "\r\n", ","]).nullish(),
        batchMode: z.boolean().nullish(),
      }),
      ({ deliveryStreamName, separator, batchMode }) => ({
        resource: deliveryStreamName,
        run: async ({ output }, { invoke }) => {
          const end = Buffer.from(separator ?? "");
          const Records = batchOf(output, batchMode).map((value) => ({
            Data: Buffer.concat([outputBytes(value), end]),
          }));
          await invoke("firehose", "PutRecordBatch", { DeliveryStreamName: deliveryStreamName, Records });
        },
      }),
    ),
  ],
  [
    "kinesis",
    action(
      "KinesisAction",
      z.object({ streamName: z.string(), partitionKey: z.string().nullish() }),
      ({ streamName, partitionKey }) => {
        const keyOf = template(partitionKey ?? "${newuuid()}");
        return {
          resource: streamName,
          run: ({ payload, context, output }, { invoke }) =>
            invoke("kinesis", "PutRecord", {
              StreamName: streamName,
              PartitionKey: keyOf(payload, context),
              Data: outputBytes(output),
            }),
        };
      },
    ),
  ],
  [
    "lambda",
    action("LambdaAction", z.object({ functionArn: z.string() }), ({ functionArn }) => ({
      resource: functionArn,
      run: ({ output }, { callFunction }) => callFunction(functionArn, output),
    })),
  ],
  [
    "cloudwatchMetric",
    action(
      "CloudwatchMetricAction",
      z.object({
        metricNamespace: z.string(),
        metricName: z.string(),
        metricValue: z.string(),
        metricUnit: z.string(),
        metricTimestamp: z.string().nullish(),
      }),
      ({ metricNamespace, metricName, metricValue, metricUnit, metricTimestamp }) => {
        const templates = [metricNamespace, metricName, metricValue, metricUnit, metricTimestamp ?? ""].map(
          template,
        );
        return {
          resource: metricName,
          run: ({ payload, context }, { invoke }) => {
            const [Namespace, MetricName, value, Unit, seconds] = templates.map((fill) =>
              fill(payload, context),
            );
            const Timestamp = new Date(seconds === "" ? context.at : Number(seconds) * 1000);
            const MetricData = [{ MetricName, Value: toNumber(value), Unit, Timestamp }];
            return invoke("monitoring", "PutMetricData", { Namespace, MetricData });
          },
        };
      },
    ),
  ],
  [
    "sns",
    action(
      "SnsAction",
      z.object({ targetArn: z.string(), messageFormat: z.enum(["RAW", "JSON"]).nullish() }),
      ({ targetArn, messageFormat }) => ({
        resource: targetArn,
        run: ({ output }, { invoke }) =>
          invoke("sns", "Publish", {
            TopicArn: targetArn,
            Message: Buffer.from(outputBytes(output)).toString("utf8"),
            ...(messageFormat === "JSON" ? { MessageStructure: "json" } : {}),
          }),
      }),
    ),
  ],
  [
    "cloudwatchLogs",
    action(
      "CloudwatchLogsAction",
      z.object({ logGroupName: z.string(), batchMode: z.boolean().nullish() }),
      ({ logGroupName, batchMode }) => ({
        resource: logGroupName,
        run: ({ ruleName, context, output }, { invoke }) =>
          writeLines(
            invoke,
            { logGroupName, logStreamName: ruleName },
            logEvents(output, batchMode, context.at),
          ),
      }),
    ),
  ],
  [
    "dynamoDBv2",
    action(
      "DynamoDBv2Action",
      z.object({ putItem: z.object({ tableName: z.string() }) }),
      ({ putItem: { tableName } }) => ({
        resource: tableName,
        run: ({ output }, { invoke }) =>
          invoke("dynamodb", "PutItem", { TableName: tableName, Item: dynamoDbItem(output) }),
      }),
    ),
  ],
]);

/** @throws ServiceError for an action that is not simulated or not complete, or whose template is no template. */
export function prepareAction(given: Readonly<Record<string, unknown>>): PreparedAction {
  const entries = Object.entries(given).filter(([, input]) => input !== undefined && input !== null);
  const [[name, input] = ["", undefined]] = entries;
  const prepare = actions.get(name);
  if (entries.length !== 1 || prepare === undefined)
    throw invalid(
      `An action is exactly one of ${[...actions.keys()].join(", ")}; given: ${entries.map(([key]) => key).join(", ")}.`,
    );
  return prepare(input);
}

function action<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  prepare: (input: z.infer<Schema>) => Omit<PreparedAction, "name">,
): (input: unknown) => PreparedAction {
  return (input) => ({ name, ...prepare(parsed(schema, input)) });
}

/** What goes out: bytes as they are, the rest as JSON. */
export function outputBytes(output: SqlValue): Uint8Array {
  return output instanceof Uint8Array ? output : Buffer.from(JSON.stringify(output) ?? "", "utf8");
}

/** In batch mode each item of a list is a record of its own. */
function batchOf(output: SqlValue, batchMode: boolean | null | undefined): readonly SqlValue[] {
  return batchMode === true && isSqlArray(output) ? output : [output];
}

const LogRecord = z.object({ timestamp: z.number(), message: z.string() });

function logEvents(output: SqlValue, batchMode: boolean | null | undefined, at: number): readonly Line[] {
  if (batchMode !== true)
    return [
      {
        timestamp: at,
        message: typeof output === "string" ? output : Buffer.from(outputBytes(output)).toString(),
      },
    ];
  return batchOf(output, true)
    .map((record) => LogRecord.parse(record))
    .sort((a, b) => a.timestamp - b.timestamp);
}
