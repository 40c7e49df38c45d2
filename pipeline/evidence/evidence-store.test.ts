import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { componentNames } from "@coalmine/contract";
import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { EvidenceReader, ReaderState } from "./evidence-reader.ts";
import { EVIDENCE_TABLE, EvidenceStore, MINUTE_MS } from "./evidence-store.ts";
import { fleetHistory } from "./fleet-history.ts";
import { cloudWitness, heartbeatHandler } from "./handlers.ts";

let cloud: TestCloud;
let dynamodb: DynamoDBClient;
const logged: string[] = [];
const log = jsonLog("test", systemClock, (line) => logged.push(line));
beforeAll(async () => {
  cloud = await startTestCloud();
  dynamodb = new DynamoDBClient(cloud.client);
  await new EvidenceStore(dynamodb, "any").ensure(systemClock);
});
afterAll(async () => {
  dynamodb.destroy();
  await cloud.close();
});

/** The hour before last: rows expire by the cloud's clock, which is the wall's here. */
const FROM = Math.floor(Date.now() / 3_600_000 - 2) * 3_600_000;

function heartbeat(thing: string, sequence: number, readings: number): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({
      version: 1,
      thing,
      sentMs: 0,
      sequence,
      components: [
        {
          version: 1,
          component: componentNames.sensorReader,
          componentVersion: "1.0.0",
          startedMs: 0,
          counters: { readings },
          gauges: {},
          sums: {},
          ageMs: 0,
        },
      ],
    }),
  );
}

test("a heartbeat becomes one row by target and minute that expires, and tables may be made twice", async () => {
  const store = new EvidenceStore(dynamodb, "one");
  await store.ensure(systemClock);
  const take = heartbeatHandler((row) => store.put(row), log);
  await take("coalmine/d/heartbeat", heartbeat("d", 1, 4), FROM + 100);
  await take("coalmine/d/heartbeat", heartbeat("d", 2, 8), FROM + 50_000);
  const witness = cloudWitness((row) => store.put(row));
  await witness({ kind: "mqtt-connection", thingName: "d", connected: true, reason: "", at: FROM + 90 });
  await witness({ kind: "mqtt-connection", thingName: undefined, connected: true, reason: "", at: FROM });
  const rows = await store.minute(FROM / MINUTE_MS);
  expect(rows.map(({ source, atMs }) => [source, atMs - FROM])).toEqual([
    ["connection", 90],
    ["heartbeat", 50_000],
  ]);
  expect(rows[1]).toMatchObject({ counters: { "sensorReader.readings": 8 } });
  expect(await new EvidenceStore(dynamodb, "two").minute(FROM / MINUTE_MS)).toEqual([]);
  const minute = `one#${new Date(FROM).toISOString().slice(0, 16)}Z`;
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: EVIDENCE_TABLE, Key: { minute: { S: minute }, thing: { S: "d" } } }),
  );
  expect(Number(Item?.["expires"]?.N) * 1000).toBeGreaterThan(FROM + 7 * 24 * 3_600_000);
});

test("what is no heartbeat of the device on whose topic it came is passed over and logged", async () => {
  const rows: unknown[] = [];
  const take = heartbeatHandler((row) => Promise.resolve(void rows.push(row)), log);
  await take("coalmine/d/heartbeat", new TextEncoder().encode("no JSON"), 1);
  await take("coalmine/d/heartbeat", heartbeat("somebody-else", 1, 4), 1);
  await take("coalmine/d/other", heartbeat("d", 1, 4), 1);
  expect(rows).toEqual([]);
  expect(logged.filter((line) => line.includes("heartbeat's topic"))).toHaveLength(2);
});

test("reading goes on where it was, also by another reader from what was kept, and late rows still count", async () => {
  const store = new EvidenceStore(dynamodb, "resumed");
  const take = heartbeatHandler((row) => store.put(row), log);
  const at = (minute: number): number => FROM + minute * MINUTE_MS + 200;
  const send = (minute: number) =>
    take("coalmine/d/heartbeat", heartbeat("d", minute, 4 * minute), at(minute));
  for (let minute = -1; minute < 20; minute++) await (minute === 18 ? undefined : send(Math.max(0, minute)));
  let reads = 0;
  const counting = {
    minute: (minute: number) => {
      reads++;
      return store.minute(minute);
    },
  };
  const reader = new EvidenceReader(counting, FROM);
  const first = await reader.tallyAt(FROM + 20 * MINUTE_MS);
  const kept = ReaderState.parse(JSON.parse(JSON.stringify(reader.state())));
  await send(18);
  for (let minute = 20; minute < 30; minute++) await send(minute);
  reads = 0;
  const to = FROM + 30 * MINUTE_MS;
  const resumed = await new EvidenceReader(counting, kept).tallyAt(to);
  expect(reads).toBeLessThan(16);
  const anew = await new EvidenceReader(store, FROM).tallyAt(to);
  expect(resumed).toEqual(anew);
  expect(resumed["d"]?.heard).toBe(30);
  expect(first["d"]?.heard).toBe(19);
});

test("a fleet's history has one pair a bucket, of what was counted within it", async () => {
  const store = new EvidenceStore(dynamodb, "history");
  const take = heartbeatHandler((row) => store.put(row), log);
  for (let minute = 0; minute < 30; minute++)
    await take("coalmine/d/heartbeat", heartbeat("d", minute, 4 * minute), FROM + minute * MINUTE_MS + 200);
  const device = { thing: "d", stratum: "all", cluster: "d" };
  const history = await fleetHistory(
    store,
    [device],
    [{ name: "readings", of: { component: "sensorReader", counter: "readings", per: "heartbeats" } }],
    { fromMs: FROM, toMs: FROM + 30 * MINUTE_MS, bucketMs: 10 * MINUTE_MS },
  );
  expect(history.metrics["readings"]).toEqual([
    [
      [36, 10],
      [40, 10],
      [40, 10],
    ],
  ]);
});
