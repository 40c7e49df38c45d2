import type { FirehoseClient } from "@aws-sdk/client-firehose";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { StreamRecord, Streams } from "@coalmine/ports";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { asked, clientSettings } from "./aws-error.ts";

/** What both clients are set up with; endpoint and credentials come as the SDK finds them. */
export interface StreamsConfig {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** One answer a record, in the order sent. A service names what it did not take; nothing says that it did. */
type Answers = Awaited<ReturnType<Streams["put"]>>;

/** Amazon Kinesis Data Streams and Amazon Data Firehose. Most devices use neither: a client is loaded with the first request. */
export function awsStreams(config: StreamsConfig): Streams {
  const settings = { ...clientSettings, ...config };
  let kinesis: KinesisClient | undefined;
  let firehose: FirehoseClient | undefined;

  async function putRecords(name: string, records: readonly StreamRecord[]): Promise<Answers> {
    const { KinesisClient, PutRecordsCommand } = await import("@aws-sdk/client-kinesis");
    // By itself this client speaks HTTP/2, which takes other settings and helps no one who sends one request at a time.
    const client = (kinesis ??= new KinesisClient({
      ...settings,
      requestHandler: new NodeHttpHandler(clientSettings.requestHandler),
    }));
    const command = new PutRecordsCommand({
      StreamName: name,
      Records: records.map(({ data, partitionKey }) => ({ Data: data, PartitionKey: partitionKey ?? "" })),
    });
    const { Records } = await asked(`putting ${records.length} records to Kinesis stream ${name}`, () =>
      client.send(command),
    );
    return answers(Records, records.length);
  }

  async function putRecordBatch(name: string, records: readonly StreamRecord[]): Promise<Answers> {
    const { FirehoseClient, PutRecordBatchCommand } = await import("@aws-sdk/client-firehose");
    const client = (firehose ??= new FirehoseClient(settings));
    const command = new PutRecordBatchCommand({
      DeliveryStreamName: name,
      Records: records.map(({ data }) => ({ Data: data })),
    });
    const { RequestResponses } = await asked(
      `putting ${records.length} records to Firehose stream ${name}`,
      () => client.send(command),
    );
    return answers(RequestResponses, records.length);
  }

  return {
    put: ({ kind, name }, records) =>
      kind === "kinesis" ? putRecords(name, records) : putRecordBatch(name, records),
  };
}

/** A service that answers for fewer records than it was sent is not believed about the others. */
function answers(
  given:
    | readonly { readonly ErrorCode?: string | undefined; readonly ErrorMessage?: string | undefined }[]
    | undefined,
  count: number,
): Answers {
  return Array.from({ length: count }, (_, at) => {
    const answer = given?.[at];
    if (answer === undefined)
      return { errorCode: "InternalFailure", errorMessage: "the service said nothing of this record" };
    const { ErrorCode, ErrorMessage } = answer;
    return {
      ...(ErrorCode === undefined ? {} : { errorCode: ErrorCode }),
      ...(ErrorMessage === undefined ? {} : { errorMessage: ErrorMessage }),
    };
  });
}
