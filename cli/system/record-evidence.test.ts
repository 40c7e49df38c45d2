import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { componentNames, topics } from "@coalmine/contract";
import { DrivenClock, silentLog } from "@coalmine/runtime";
import { parquetReadObjects } from "hyparquet";
import { afterEach, expect, test } from "vitest";
import { evidenceColumns } from "../../pipeline/evidence/evidence-lake.ts";
import { EvidenceStore, MINUTE_MS } from "../../pipeline/evidence/evidence-store.ts";
import { EvidenceRow } from "../../pipeline/evidence/row.ts";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { handlers } from "./driven-handlers.ts";
import { DRIVEN } from "./driven-region.ts";
import { buckets, HOME } from "./home-region.ts";
import { recordEvidence } from "./record-evidence.ts";
import { setUpEvidenceLake } from "./set-up-lake.ts";

const START = Date.parse("2030-06-01T23:50:00Z");
const thing = "core-01";
let cloud: TestCloud;
afterEach(() => cloud.close());

/** The two ways in which messages of a local region become evidence. */
const ways = {
  [HOME.name]: async () => {
    const lake = buckets(HOME.region).lake;
    const invoke = (service: string, operation: string, input: object) =>
      cloud.cloud.invoke(service, operation, input);
    const place = { region: "us-east-1", accountId: HOME.accountId, partition: "aws" };
    // The next start finds it there.
    for (let times = 0; times < 2; times++) await setUpEvidenceLake(invoke, place, lake);
    return { hear: recordEvidence(cloud.cloud, HOME.name, silentLog), settled: () => Promise.resolve() };
  },
  [DRIVEN.name]: () => Promise.resolve(handlers(cloud.cloud)),
};

test.each(Object.entries(ways))(
  "in the %s region what is seen of a device is in DynamoDB for the judge, and the same rows in the lake",
  async (target, open) => {
    const clock = new DrivenClock(START, () => new Promise(setImmediate));
    cloud = await startTestCloud({ clock });
    const s3 = new S3Client({ ...cloud.client, forcePathStyle: true });
    const dynamodb = new DynamoDBClient(cloud.client);
    try {
      const Bucket = buckets(HOME.region).lake;
      await s3.send(new CreateBucketCommand({ Bucket }));
      const store = new EvidenceStore(dynamodb, target);
      await store.ensure(clock);
      const region = await open();
      region.hear(topics.heartbeat(thing), heartbeat(3), START);
      region.hear(topics.heartbeat(thing), heartbeat(4), START + MINUTE_MS);
      region.hear("elsewhere", new Uint8Array(), START);
      cloud.cloud.events.emit({
        kind: "mqtt-connection",
        clientId: thing,
        thingName: thing,
        connected: false,
        reason: "MQTT_KEEP_ALIVE_TIMEOUT",
        at: START + 1,
      });
      await region.settled();
      await clock.runUntil(START + 20 * MINUTE_MS);

      const inTable = [
        ...(await store.minute(START / MINUTE_MS)),
        ...(await store.minute(START / MINUTE_MS + 1)),
      ];
      expect(inTable.map(({ source, atMs }) => [source, atMs - START])).toEqual([
        ["heartbeat", 0],
        ["connection", 1],
        ["heartbeat", MINUTE_MS],
      ]);
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "evidence/" }));
      // The day that the oldest of them came.
      expect(Contents.map(({ Key }) => Key)).toEqual([
        expect.stringMatching(
          /^evidence\/dt=2030-06-01\/firehose\/coalmine-evidence-1-2030-06-02-.*[.]parquet$/,
        ),
      ]);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: Contents[0]?.Key ?? "" }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
      expect(Object.keys(rows[0] ?? {})).toEqual(evidenceColumns.map(({ name }) => name));
      const inLake = rows.map((row) => EvidenceRow.parse(JSON.parse(String(row["row_json"]))));
      expect(inLake.sort((a, b) => a.atMs - b.atMs)).toEqual(inTable);
      expect(rows.map((row) => [row["target"], row["thing"]])).toEqual(rows.map(() => [target, thing]));
    } finally {
      s3.destroy();
      dynamodb.destroy();
    }
  },
);

function heartbeat(sequence: number): Uint8Array {
  const component = {
    version: 1,
    component: componentNames.sensorReader,
    componentVersion: "1.0.0",
    startedMs: START,
    counters: { readings: 7 * sequence },
    gauges: {},
    sums: {},
    ageMs: 0,
  };
  return Buffer.from(JSON.stringify({ version: 1, thing, sentMs: START, sequence, components: [component] }));
}
