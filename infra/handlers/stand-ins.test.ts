import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateDeliveryStreamCommand, FirehoseClient, PutRecordBatchCommand } from "@aws-sdk/client-firehose";
import { CreateDatabaseCommand, CreateTableCommand, GetTableCommand, GlueClient } from "@aws-sdk/client-glue";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { lakeColumns } from "@coalmine/contract";
import { DrivenClock, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { groupOf } from "../../api/http/sign-in/groups.ts";
import { decodePoints, encodePoints } from "../../components/stream-uploader/src/batch-record.ts";
import { curve } from "../../components/stream-uploader/src/device.fixture.ts";
import { pointLine } from "../../components/stream-uploader/src/point-line.ts";
import { openHttpApi, type HttpApi } from "../../simulator/cloud/api-gateway/http-api.ts";
import { jwtAuthorizer } from "../../simulator/cloud/api-gateway/jwt-authorizer.ts";
import { userPool } from "../../simulator/cloud/cognito/user-pool.ts";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { EvidenceRow } from "../../pipeline/evidence/row.ts";
import { evidenceColumns, evidenceLine, evidenceRecord } from "../../pipeline/evidence/evidence-lake.ts";
import { recordConnection } from "../../pipeline/evidence/handlers.ts";
import { savedQueries } from "../lake/saved-queries.ts";
import {
  catalogue,
  delivery,
  deliveryPrefixes,
  evidence,
  type LakeTable,
  measurements,
} from "../lake/tables.ts";
import { answer, HttpEvent } from "./http-event.ts";
import { personOf } from "./person.ts";

/** What has no local counterpart, and what stands in for it: each keeps the contract that the functions rely on. */

const folder = mkdtempSync(join(tmpdir(), "coalmine-stand-ins-"));
const clock = new DrivenClock(Date.parse("2030-06-01T10:20:30Z"), () => new Promise(setImmediate));
let cloud: TestCloud;
let firehose: FirehoseClient;
let glue: GlueClient;
let s3: S3Client;
let api: HttpApi;
const options = { region: "us-east-1", poolId: "us-east-1_Local", clientId: "console", clock: systemClock };
const people = userPool(options);
beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  firehose = new FirehoseClient(cloud.client);
  glue = new GlueClient(cloud.client);
  s3 = new S3Client({ ...cloud.client, forcePathStyle: true });
  api = await openHttpApi({
    server: cloud.cloud.iot.authority.serverCertificate(),
    port: 0,
    call: (event) => Promise.resolve(answer(200, { person: personOf(HttpEvent.parse(event)) ?? null })),
    authorize: jwtAuthorizer({
      issuer: people.issuer,
      audience: ["console"],
      keys: people.keys,
      clock: systemClock,
    }),
    clock: systemClock,
    log: silentLog,
  });
});
afterAll(async () => {
  for (const client of [firehose, glue, s3]) client.destroy();
  await api.close();
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

test("Glue: by the stack's own tables Firehose makes Parquet of a device's lines and of evidence, with the contract's columns; Athena: the saved questions run on it", async () => {
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: catalogue.database } }));
  await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
  const points = curve(1, 1, 40);
  const columns = decodePoints(encodePoints(points));
  const files = {
    measurements: await through(
      measurements,
      points.map((_, at) => Buffer.from(`${pointLine("core-01", columns, at)}\n`)),
    ),
    evidence: await through(
      evidence,
      // Twice, as after a call whose answer was lost; and several to a record.
      [[seen[0]], seen].map(
        (rows) => evidenceRecord(rows.map((row) => evidenceLine("fleet", row))).Record.Data,
      ),
    ),
  };

  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    const columnsOf: Record<string, unknown[]> = {};
    for (const [name, { key, bytes }] of Object.entries(files)) {
      expect(key).toMatch(new RegExp(`^${name}/dt=2030-06-01/firehose/.*[.]parquet$`));
      const file = join(folder, `${name}.parquet`);
      writeFileSync(file, bytes);
      await connection.run(
        `create view ${name} as select *, '2030-06-01' as dt from read_parquet('${file}', hive_partitioning = false)`,
      );
      const described = await connection.runAndReadAll(`describe ${name}`);
      columnsOf[name] = described.getRowObjects().map((row) => row["column_name"]);
    }
    expect(columnsOf).toEqual({
      measurements: [...lakeColumns.map(({ name }) => name), "dt"],
      evidence: [...evidenceColumns.map(({ name }) => name), "dt"],
    });
    const rows: Record<string, number> = {};
    for (const [name, sql] of Object.entries(savedQueries))
      rows[name] = (await connection.runAndReadAll(sql)).getRowObjects().length;
    expect(rows).toEqual({
      "latest results by device": 1,
      "readings that came twice": 0,
      "bad readings by cause": 0,
      "what was seen of each device": 2,
    });
    const kept = await connection.runAndReadAll("select distinct row_json from evidence order by row_json");
    expect(kept.getRowObjects().map((row) => EvidenceRow.parse(JSON.parse(String(row["row_json"]))))).toEqual(
      seen,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
});

const seen = [
  recordConnection("core-01", true, "", Date.parse("2030-06-01T10:20:30Z")),
  recordConnection("core-02", false, "MQTT_KEEP_ALIVE_TIMEOUT", Date.parse("2030-06-01T10:20:31Z")),
] as const;

/** The object that the stack's delivery makes of records. */
async function through(
  table: LakeTable,
  records: readonly Uint8Array[],
): Promise<{ key: string; bytes: Uint8Array }> {
  const { database: DatabaseName } = catalogue;
  const { name: Name, stream: DeliveryStreamName } = table;
  const Columns = table.glueColumns.map((column) => ({ Name: column.name, Type: column.type }));
  await glue.send(
    new CreateTableCommand({ DatabaseName, TableInput: { Name, StorageDescriptor: { Columns } } }),
  );
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName, Name }));
  expect(Table?.StorageDescriptor?.Columns).toEqual(Columns);
  const RoleARN = "arn:aws:iam::123456789012:role/delivery";
  const { prefix: Prefix, errors: ErrorOutputPrefix } = deliveryPrefixes(table);
  await firehose.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName,
      ExtendedS3DestinationConfiguration: {
        BucketARN: "arn:aws:s3:::lake",
        RoleARN,
        Prefix,
        ErrorOutputPrefix,
        BufferingHints: { SizeInMBs: delivery.mebibytes, IntervalInSeconds: delivery.seconds },
        DataFormatConversionConfiguration: {
          SchemaConfiguration: { RoleARN, DatabaseName, TableName: Name },
          InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: {} } },
          OutputFormatConfiguration: { Serializer: { ParquetSerDe: {} } },
        },
      },
    }),
  );
  const Records = records.map((Data) => ({ Data }));
  await firehose.send(new PutRecordBatchCommand({ DeliveryStreamName, Records }));
  await clock.runUntil(clock.now() + 2 * delivery.seconds * 1000);
  const { Contents: [object] = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: "lake", Prefix: `${Name}/` }),
  );
  const key = object?.Key ?? "";
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "lake", Key: key }));
  return { key, bytes: (await Body?.transformToByteArray()) ?? new Uint8Array() };
}

/** As a browser asks; the authority of the local cloud is nobody's. */
function ask(token: string | undefined): Promise<{ status: number; body: unknown }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const asked = request(`${api.endpoint}/api/me`, { headers, rejectUnauthorized: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    asked.on("error", reject);
    asked.end();
  });
}
const ada = { sub: "7f", email: "ada@example.com" };

test("Cognito and API Gateway: whoever has signed in is let in with the role of the highest group, and nobody else", async () => {
  const groups = [groupOf("viewer"), groupOf("operator"), "others"];
  expect(await ask(people.idToken({ ...ada, groups }))).toEqual({
    status: 200,
    body: { person: { who: "ada@example.com", role: "operator" } },
  });
  expect(await ask(people.idToken({ ...ada, groups: [] }))).toEqual({ status: 200, body: { person: null } });
  expect(await ask(undefined)).toEqual({ status: 401, body: { message: "Unauthorized" } });
});

test("API Gateway: a token that is changed, too old, of another pool or for another client does not count", async () => {
  const token = people.idToken({ ...ada, groups: [groupOf("viewer")] });
  const [header = "", , signature = ""] = token.split(".");
  const forged = Buffer.from(JSON.stringify({ iss: people.issuer, aud: "console", exp: 9e9 })).toString(
    "base64url",
  );
  const person = { ...ada, groups: [groupOf("admin")] };
  const former = { now: () => systemClock.now() - 2 * 3_600_000 };
  for (const bad of [
    `${header}.${forged}.${signature}`,
    `${token}.`,
    "nothing",
    userPool({ ...options, clock: former }).idToken(person),
    userPool({ ...options, poolId: "us-east-1_Other" }).idToken(person),
  ])
    expect(await ask(bad), bad).toMatchObject({ status: 401 });
  const authorize = jwtAuthorizer({
    issuer: people.issuer,
    audience: ["another"],
    keys: people.keys,
    clock: systemClock,
  });
  expect(authorize(`Bearer ${token}`)).toBeUndefined();
  const late = jwtAuthorizer({
    issuer: people.issuer,
    audience: ["console"],
    keys: people.keys,
    clock: { now: () => systemClock.now() + 2 * 3_600_000 },
  });
  expect(late(`Bearer ${token}`)).toBeUndefined();
});
