import { gunzipSync } from "node:zlib";
import {
  CreateDeliveryStreamCommand,
  type DataFormatConversionConfiguration,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  PutRecordBatchCommand,
} from "@aws-sdk/client-firehose";
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetTableCommand,
  GlueClient,
  UpdateTableCommand,
} from "@aws-sdk/client-glue";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { DrivenClock } from "@coalmine/runtime";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

const clock = new DrivenClock(Date.parse("2030-06-01T10:20:30Z"), () => new Promise(setImmediate));
let cloud: TestCloud;
let firehose: FirehoseClient;
let glue: GlueClient;
let s3: S3Client;
beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  firehose = new FirehoseClient(cloud.client);
  glue = new GlueClient(cloud.client);
  s3 = new S3Client(cloud.client);
  await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: "Plant" } }));
});
afterAll(async () => {
  for (const client of [firehose, glue, s3]) client.destroy();
  await cloud.close();
});

const table = (Name: string, columns: Readonly<Record<string, string>>) => ({
  DatabaseName: "plant",
  TableInput: {
    Name,
    StorageDescriptor: { Columns: Object.entries(columns).map(([column, Type]) => ({ Name: column, Type })) },
  },
});
const columns = {
  device: "string",
  small: "int",
  large: "bigint",
  value: "double",
  ok: "boolean",
  at: "timestamp",
};
const converted = (TableName: string, more: object = {}): DataFormatConversionConfiguration => ({
  SchemaConfiguration: { RoleARN: "arn:aws:iam::123456789012:role/f", DatabaseName: "plant", TableName },
  InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: {} } },
  OutputFormatConfiguration: { Serializer: { ParquetSerDe: {} } },
  ...more,
});
const stream = (
  DeliveryStreamName: string,
  DataFormatConversionConfiguration: DataFormatConversionConfiguration,
  more: object = {},
) =>
  firehose.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName,
      ExtendedS3DestinationConfiguration: {
        BucketARN: "arn:aws:s3:::lake",
        RoleARN: "arn:aws:iam::123456789012:role/f",
        Prefix: `${DeliveryStreamName}/`,
        BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 64 },
        DataFormatConversionConfiguration,
        ...more,
      },
    }),
  );

/** Puts the records, waits for the delivery, and gives the rows and the lines of the error output. */
async function delivered(name: string, ...records: readonly (object | string)[]) {
  const texts = records.map((record) => (typeof record === "string" ? record : JSON.stringify(record)));
  const Records = texts.map((text) => ({ Data: Buffer.from(text) }));
  await firehose.send(new PutRecordBatchCommand({ DeliveryStreamName: name, Records }));
  await clock.runUntil(clock.now() + 61_000);
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "lake" }));
  const rows: Record<string, unknown>[] = [];
  const errors: Record<string, unknown>[] = [];
  const keys: string[] = [];
  for (const { Key = "" } of Contents) {
    if (!Key.includes(`/${name}-1-`)) continue;
    keys.push(Key);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "lake", Key }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    if (Key.endsWith(".parquet"))
      rows.push(
        ...(await parquetReadObjects({
          file: bytes.slice().buffer,
          compressors: { GZIP: (input) => gunzipSync(input) },
        })),
      );
    else
      for (const line of Buffer.from(bytes).toString().trim().split("\n"))
        errors.push(JSON.parse(line) as Record<string, unknown>);
  }
  return { rows, errors, keys };
}

test("records become rows of the table's columns, and what does not fit goes to the error output", async () => {
  await glue.send(new CreateTableCommand(table("Readings", columns)));
  await stream("readings", converted("readings"), {
    ErrorOutputPrefix: "failed/!{firehose:error-output-type}/",
  });
  const at = "2030-06-01 10:20:30.5";
  const whole = { Device: "press-7", small: 7, large: 9_007_199_254_740_991, value: 1.25, ok: true, at };
  const { rows, errors, keys } = await delivered(
    "readings",
    whole,
    `${JSON.stringify({ device: "two" })}\n${JSON.stringify({ device: "lines", small: "8" })}\n`,
    { device: "broken", small: "many" },
    "no JSON",
  );
  expect(rows).toEqual([
    {
      device: "press-7",
      small: 7,
      large: 9_007_199_254_740_991n,
      value: 1.25,
      ok: true,
      at: new Date("2030-06-01T10:20:30.500Z"),
    },
    { device: "two", small: null, large: null, value: null, ok: null, at: null },
    { device: "lines", small: 8, large: null, value: null, ok: null, at: null },
  ]);
  expect(errors).toMatchObject([
    {
      lastErrorCode: "DataFormatConversion.MalformedData",
      lastErrorMessage: "The value of small is no int.",
      rawData: Buffer.from('{"device":"broken","small":"many"}').toString("base64"),
      dataCatalogTable: { databaseName: "plant", tableName: "readings", versionId: "LATEST" },
    },
    { lastErrorCode: "DataFormatConversion.ParseError" },
  ]);
  expect(keys).toEqual([
    expect.stringMatching(/^failed\/format-conversion-failed\/2030\/06\/01\/10\/readings-1-/),
    expect.stringMatching(/^readings\/2030\/06\/01\/10\/readings-1-.*\.parquet$/),
  ]);
});

for (const Compression of ["GZIP", "UNCOMPRESSED"] as const)
  test(`keys may be mapped, and a file be ${Compression}`, async () => {
    const name = `mapped-${Compression.toLowerCase()}`;
    await glue.send(new CreateTableCommand(table(name, { site: "varchar(10)", oil_level: "float" })));
    await stream(
      name,
      converted(name, {
        InputFormatConfiguration: {
          Deserializer: {
            OpenXJsonSerDe: {
              ColumnToJsonKeyMappings: { site: "Where" },
              ConvertDotsInJsonKeysToUnderscores: true,
            },
          },
        },
        OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression } } },
      }),
    );
    const { rows } = await delivered(name, { Where: "jena", "oil.level": 0.5 });
    expect(rows).toEqual([{ site: "jena", oil_level: 0.5 }]);
  });

test("the table is read at each delivery: a new column is written, a table that has gone fails its records", async () => {
  await glue.send(new CreateTableCommand(table("grows", { a: "int" })));
  await stream("grows", converted("grows"));
  await glue.send(new UpdateTableCommand(table("grows", { a: "int", b: "string" })));
  expect((await delivered("grows", { a: 1, b: "x" })).rows).toEqual([{ a: 1, b: "x" }]);
  await glue.send(new DeleteTableCommand({ DatabaseName: "plant", Name: "grows" }));
  const { errors, keys } = await delivered("grows", { a: 2 });
  expect(errors).toMatchObject([{ lastErrorCode: "DataFormatConversion.EntityNotFound" }]);
  expect(keys.some((key) => key.startsWith("grows/format-conversion-failed/2030/"))).toBe(true);
});

test("a stream tells its conversion, and one that is switched off converts nothing", async () => {
  await glue.send(new CreateTableCommand(table("told", { a: "int" })));
  await stream("told", converted("told"));
  const described = await firehose.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName: "told" }));
  const [destination] = described.DeliveryStreamDescription?.Destinations ?? [];
  expect(destination?.ExtendedS3DestinationDescription?.DataFormatConversionConfiguration).toMatchObject({
    Enabled: true,
    SchemaConfiguration: { DatabaseName: "plant", TableName: "told", VersionId: "LATEST" },
    OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression: "SNAPPY" } } },
  });
  await stream("off", converted("told", { Enabled: false }));
  // As it was put, and so no error: the line is the record.
  expect(await delivered("off", "{}")).toMatchObject({ rows: [], errors: [{}] });
});

test("what cannot be converted is refused when the stream is made", async () => {
  await glue.send(new CreateTableCommand(table("nested", { a: "array<int>", b: "int" })));
  await expect(stream("n", converted("nested"))).rejects.toThrow("not written here: a (array<int>)");
  await expect(stream("n", converted("none"))).rejects.toThrow("plant.none is not found in Glue");
  await expect(stream("n", converted("told"), { BufferingHints: { SizeInMBs: 5 } })).rejects.toThrow(
    "at least 64",
  );
  const orc = { OutputFormatConfiguration: { Serializer: { OrcSerDe: {} } } };
  await expect(stream("n", converted("told", orc))).rejects.toThrow("ParquetSerDe");
  await expect(stream("n", converted("told"), { CompressionFormat: "GZIP" })).rejects.toThrow(
    "objects are not compressed here",
  );
});

test("Glue's catalog knows its databases and tables, and refuses by its own exceptions", async () => {
  expect((await glue.send(new GetDatabaseCommand({ Name: "PLANT" }))).Database).toMatchObject({
    Name: "plant",
    CatalogId: "123456789012",
  });
  await glue.send(new CreateTableCommand(table("Seen", { a: "int" })));
  await glue.send(new UpdateTableCommand(table("seen", { a: "bigint" })));
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: "plant", Name: "seen" }));
  expect(Table).toMatchObject({
    Name: "seen",
    VersionId: "1",
    StorageDescriptor: { Columns: [{ Name: "a", Type: "bigint" }] },
    CreateTime: expect.any(Date),
  });
  await expect(glue.send(new CreateTableCommand(table("seen", {})))).rejects.toMatchObject({
    name: "AlreadyExistsException",
  });
  await expect(glue.send(new GetTableCommand({ DatabaseName: "none", Name: "seen" }))).rejects.toMatchObject({
    name: "EntityNotFoundException",
  });
});
