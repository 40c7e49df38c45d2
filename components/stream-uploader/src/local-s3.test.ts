import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { s3Objects } from "@coalmine/device/objects";
import type { Objects } from "@coalmine/ports";
import { SeededRandom } from "@coalmine/runtime";
import { parquetReadObjects } from "hyparquet";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { startTestCloud } from "../../../simulator/cloud/protocol/test-cloud.ts";
import { bytesOf, Device } from "./device.fixture.ts";
import { keyFaults, Publisher, rowName } from "./publisher.fixture.ts";

type Fault = "none" | "reply lost" | "reset in the body" | "SlowDown";

/** Between the SDK and S3: passes on, or fails as networks do. `faults` counts what it did to requests. */
class BadNetwork {
  readonly faults = new Map<Fault, number>();
  readonly #server: Server;
  readonly #next: () => Fault;

  constructor(port: number, next: () => Fault) {
    this.#next = next;
    this.#server = createServer((client) => this.#serve(client, connect(port, "127.0.0.1")));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  #serve(client: Socket, s3: Socket): void {
    let fault: Fault = "none";
    const end = (): void => {
      client.destroy();
      s3.destroy();
    };
    for (const socket of [client, s3]) socket.on("error", end).on("close", end);
    client.on("data", (bytes) => {
      if (bytes.subarray(0, 4).toString() === "PUT ") {
        fault = this.#next();
        this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
      }
      if (fault === "reset in the body") {
        s3.write(bytes.subarray(0, bytes.length >> 1));
        client.resetAndDestroy();
        s3.resetAndDestroy();
      } else if (fault === "SlowDown") {
        const body = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
        client.end(
          `HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        );
        s3.destroy();
      } else s3.write(bytes);
    });
    // S3 has stored the object when it answers.
    s3.on("data", (bytes) => (fault === "reply lost" ? end() : client.write(bytes)));
  }
}

test("over a bad network to the local S3, by the real client: each point in one object, each object of one version", async () => {
  const cloud = await startTestCloud();
  const operator = new S3Client(cloud.client);
  const random = new SeededRandom("bad network");
  const kinds: readonly Fault[] = [
    "none",
    "none",
    "reply lost",
    "reply lost",
    "reset in the body",
    "SlowDown",
  ];
  let isGood = false;
  const network = new BadNetwork(Number(new URL(cloud.endpoint).port), () =>
    isGood ? "none" : (kinds[random.below(kinds.length)] ?? "none"),
  );
  try {
    await operator.send(new CreateBucketCommand({ Bucket: "coalmine-lake" }));
    await operator.send(
      new PutBucketVersioningCommand({
        Bucket: "coalmine-lake",
        VersioningConfiguration: { Status: "Enabled" },
      }),
    );
    const device = new Device("bad network");
    device.configuration = { flushIntervalSeconds: 30, batchPointsMax: 500 };
    device.objects = waitedFor(device, s3Objects({ ...cloud.client, endpoint: await network.listen() }));
    const publisher = new Publisher(device);
    await device.start();
    for (let round = 0; round < 15; round++) {
      publisher.give(1 + random.below(200));
      if (random.next() < 0.3) {
        for (let turn = random.below(60); turn > 0; turn--) await Promise.resolve();
        device.kill({ power: random.next() < 0.5 });
        await device.start();
        publisher.again();
      }
      await device.run(random.below(40_000));
    }
    isGood = true;
    for (let patience = 0; patience < 20 && publisher.waiting > 0; patience++) {
      publisher.again();
      await device.run(60_000);
    }
    await device.run(700_000);

    const { Versions = [] } = await operator.send(new ListObjectVersionsCommand({ Bucket: "coalmine-lake" }));
    const keys = Versions.map(({ Key = "" }) => Key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyFaults(keys)).toEqual([]);
    const rows: Record<string, unknown>[] = [];
    for (const Key of keys) {
      const { Body } = await operator.send(new GetObjectCommand({ Bucket: "coalmine-lake", Key }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      rows.push(...(await parquetReadObjects({ file: bytesOf(bytes), compressors })));
    }
    expect(rows.map(rowName).sort()).toEqual(publisher.all);
    for (const kind of kinds) expect(network.faults.get(kind), kind).toBeGreaterThan(0);
  } finally {
    network.close();
    operator.destroy();
    await cloud.close();
  }
});

const compressors = { GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)) };

/** Real requests on a driven clock: it stands still until they are answered. */
function waitedFor(device: Device, objects: Objects): Objects {
  return {
    put: async (request) => {
      const done = device.clock.busy();
      try {
        return await objects.put(request);
      } finally {
        done();
      }
    },
  };
}
