import type { Place } from "../../infra/policies/statement.ts";
import { catalogue, delivery, deliveryPrefixes, evidence } from "../../infra/lake/tables.ts";
import { type Invoke, unlessThereBy } from "./invoke.ts";

/**
 * What the lake stack gives a region on AWS for evidence: the table in Glue, and the delivery stream that writes it as
 * Parquet. Devices write their measurements themselves here. May be repeated.
 */
export async function setUpEvidenceLake(invoke: Invoke, place: Place, lake: string): Promise<void> {
  const unlessThere = unlessThereBy(invoke);
  const { database: DatabaseName } = catalogue;
  const { name: TableName, glueColumns, stream } = evidence;
  const Columns = glueColumns.map(({ name, type }) => ({ Name: name, Type: type }));
  await unlessThere("glue", "CreateDatabase", { DatabaseInput: { Name: DatabaseName } });
  await unlessThere("glue", "CreateTable", {
    DatabaseName,
    TableInput: { Name: TableName, StorageDescriptor: { Columns } },
  });
  const { prefix, errors } = deliveryPrefixes(evidence);
  const RoleARN = `arn:${place.partition}:iam::${place.accountId}:role/CoalmineDelivery`;
  await unlessThere("firehose", "CreateDeliveryStream", {
    DeliveryStreamName: stream,
    ExtendedS3DestinationConfiguration: {
      BucketARN: `arn:${place.partition}:s3:::${lake}`,
      RoleARN,
      Prefix: prefix,
      ErrorOutputPrefix: errors,
      BufferingHints: { SizeInMBs: delivery.mebibytes, IntervalInSeconds: delivery.seconds },
      DataFormatConversionConfiguration: {
        SchemaConfiguration: { RoleARN, DatabaseName, TableName },
        InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: {} } },
        OutputFormatConfiguration: { Serializer: { ParquetSerDe: {} } },
      },
    },
  });
}
