import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateThingCommand, DescribeThingCommand, IoTClient } from "@aws-sdk/client-iot";
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SeededRandom } from "@coalmine/runtime";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";

/** Each kill costs a start of the process: a few here, a thousand in the long run. */
const KILLS = process.env["COALMINE_LONG"] === undefined ? 2 : Number(process.env["COALMINE_KILLS"] ?? 1000);
/** Side by side: most of a start is waiting for the disk and for one processor. */
const CLOUDS = 2;
const WRITERS = 8;
/** A kill comes among the writes after so many have been answered, at most. */
const ANSWERED_MAX = 50;
/** Of what was answered before earlier kills, about so many are looked for after each. */
const OLDER = 10;

const Line = z.object({ endpoint: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() });
const folder = await mkdtemp(join(tmpdir(), "coalmine-kills-"));
const running = new Set<ChildProcess>();
afterAll(async () => {
  const exits = [...running].map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(exits);
  await rm(folder, { recursive: true });
});

async function start(state: string) {
  const words = [join(import.meta.dirname, "main.ts"), "--state", state, "--json"];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  for await (const line of createInterface({ input: child.stdout })) {
    const { endpoint, ...credentials } = Line.parse(JSON.parse(line));
    const client = { endpoint, region: "us-east-1", credentials, maxAttempts: 1 };
    const clients = {
      s3: new S3Client(client),
      iot: new IoTClient(client),
      data: new IoTDataPlaneClient(client),
      dynamo: new DynamoDBClient(client),
    };
    return { child, ...clients };
  }
  throw new Error("the cloud did not start");
}
type Cloud = Awaited<ReturnType<typeof start>>;

/** One write of each kind, and how it is found again. */
const kinds: readonly {
  readonly write: (cloud: Cloud, name: string) => Promise<unknown>;
  readonly read: (cloud: Cloud, name: string) => Promise<string | undefined>;
}[] = [
  {
    write: ({ s3 }, name) =>
      s3.send(new PutObjectCommand({ Bucket: "kept", Key: name, Body: `body ${name}` })),
    read: async ({ s3 }, name) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: "kept", Key: name }));
      return (await Body?.transformToString())?.replace("body ", "");
    },
  },
  {
    write: ({ iot }, name) => iot.send(new CreateThingCommand({ thingName: name })),
    read: async ({ iot }, name) => (await iot.send(new DescribeThingCommand({ thingName: name }))).thingName,
  },
  {
    write: ({ data }, name) => {
      const payload = Buffer.from(JSON.stringify({ state: { reported: { name } } }));
      return data.send(new UpdateThingShadowCommand({ thingName: name, payload }));
    },
    read: async ({ data }, name) => {
      const { payload } = await data.send(new GetThingShadowCommand({ thingName: name }));
      const document: { state: { reported: { name: string } } } = JSON.parse(
        Buffer.from(payload ?? []).toString(),
      );
      return document.state.reported.name;
    },
  },
  {
    write: ({ dynamo }, name) =>
      dynamo.send(new PutItemCommand({ TableName: "kept", Item: { k: { S: name } } })),
    read: async ({ dynamo }, name) => {
      const asked = { TableName: "kept", Key: { k: { S: name } } };
      return (await dynamo.send(new GetItemCommand(asked))).Item?.["k"]?.S;
    },
  },
];

/** Writes to a cloud of its own, kills and starts it again and again, and looks for what was answered. */
async function kills(seed: string, count: number): Promise<{ answered: number; unanswered: number }> {
  const random = new SeededRandom(seed);
  const state = join(folder, seed);
  let cloud = await start(state);
  await cloud.s3.send(new CreateBucketCommand({ Bucket: "kept" }));
  await cloud.dynamo.send(
    new CreateTableCommand({
      TableName: "kept",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    }),
  );
  const all: [kind: number, name: string][] = [];
  let unanswered = 0;
  for (let kill = 0; kill < count; kill++) {
    const answered: typeof all = [];
    const older = all.filter(() => random.next() < OLDER / all.length);
    const { child } = cloud;
    const exited = once(child, "exit");
    let dead = false;
    const enough = 10 + random.next() * ANSWERED_MAX;
    let loaded: () => void = () => {};
    const isLoaded = new Promise<void>((resolve) => (loaded = resolve));
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; !dead; n++) {
        const kind = (writer + n) % kinds.length;
        const name = `${kill}-${writer}-${n}`;
        try {
          await kinds[kind]?.write(cloud, name);
          answered.push([kind, name]);
          if (answered.length > enough) loaded();
        } catch {
          unanswered++;
        }
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    await isLoaded;
    await new Promise((later) => setTimeout(later, random.next() * 20));
    child.kill("SIGKILL");
    dead = true;
    await Promise.all([exited, ...writers]);
    cloud = await start(state);
    const sought = [...answered, ...older];
    const found = await Promise.all(sought.map(async ([kind, name]) => kinds[kind]?.read(cloud, name)));
    expect(found).toEqual(sought.map(([, name]) => name));
    all.push(...answered);
  }
  return { answered: all.length, unanswered };
}

test(
  `nothing that was answered is lost by ${KILLS} kills under load, and every start succeeds`,
  async () => {
    const clouds = Array.from({ length: CLOUDS }, (_, n) => kills(`cloud-${n}`, KILLS / CLOUDS));
    for (const { answered, unanswered } of await Promise.all(clouds)) {
      expect(answered).toBeGreaterThan(KILLS);
      expect(unanswered).toBeGreaterThan(0);
    }
  },
  Math.max(120_000, KILLS * 15_000),
);
