import { gunzipSync } from "node:zlib";
import {
  Acknowledgement,
  Heartbeat,
  InstrumentId,
  type Measurement,
  Sha256,
  topics,
} from "@coalmine/contract";
import { nodeCrypto } from "@coalmine/device/crypto";
import { type LogKeys, memoryFiles, type MemoryFiles, readLog } from "@coalmine/durable-log";
import type {
  Files,
  Ipc,
  JsonObject,
  LocalMessage,
  LogFields,
  Objects,
  Streams,
  Subscription,
  ValidationAnswer,
} from "@coalmine/ports";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { start, type UploaderPorts } from "./component.ts";
import { KeyPlaces } from "./key-places.fixture.ts";
import { QUARANTINE_FOLDER } from "./quarantine.ts";

const START_MS = Date.UTC(2026, 2, 1, 12);
const subscription: Subscription = { close: async () => {} };

const compressors = { GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)) };

/** A bucket that stores by the rules of S3, and may lie. */
export class Bucket {
  readonly stored = new Map<string, Uint8Array>();
  readonly attempts: string[] = [];
  /** How often each key was written, and the bytes of every attempt at it, as a digest. */
  readonly writes = new Map<string, number>();
  readonly bodies = new Map<string, Set<string>>();
  /** Asked before each put: what goes wrong, and whether the object is stored nevertheless. */
  trouble: (key: string) => { code: string; statusCode?: number; isStored: boolean } | undefined = () =>
    undefined;

  /** Takes no request to its end. */
  hold = false;

  readonly objects: Objects = {
    put: async ({ key, body, ifNoneMatch, bucket }) => {
      if (this.hold) await never();
      this.attempts.push(`${bucket}/${key}`);
      this.bodies.set(key, (this.bodies.get(key) ?? new Set()).add(digest(body)));
      const trouble = this.trouble(key);
      const fail = (code: string, statusCode?: number): never => {
        throw Object.assign(new Error(`S3 answered ${code}`), {
          name: "AwsError",
          code,
          ...(statusCode === undefined ? {} : { statusCode }),
        });
      };
      if (trouble !== undefined && !trouble.isStored) fail(trouble.code, trouble.statusCode);
      if (ifNoneMatch && this.stored.has(key)) fail("PreconditionFailed", 412);
      this.stored.set(key, new Uint8Array(body));
      this.writes.set(key, (this.writes.get(key) ?? 0) + 1);
      if (trouble !== undefined) fail(trouble.code, trouble.statusCode);
      return { etag: `"${this.stored.size}"` };
    },
  };

  /** Every row of every Parquet object, read by an independent reader. */
  async rows(): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    for (const [key, bytes] of this.stored)
      if (key.endsWith(".parquet"))
        for (const row of await parquetReadObjects({ file: bytesOf(bytes), compressors })) rows.push(row);
    return rows;
  }

  /** Every point of every object of JSON lines. */
  lines(): Record<string, unknown>[] {
    const lines: Record<string, unknown>[] = [];
    for (const [key, bytes] of this.stored)
      if (key.endsWith(".jsonl.gz"))
        for (const line of new TextDecoder().decode(gunzipSync(bytes)).trimEnd().split("\n"))
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each line is an object, or the test fails
          lines.push(JSON.parse(line) as Record<string, unknown>);
    return lines;
  }

  footer(key: string): Record<string, string | undefined> {
    const metadata = parquetMetadata(bytesOf(this.stored.get(key) ?? new Uint8Array(0)));
    return Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value]));
  }
}

function digest(bytes: Uint8Array): string {
  return Buffer.from(nodeCrypto.sha256(bytes)).toString("hex");
}

export function bytesOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

/** What Kinesis and Firehose took, and what they say of each record. */
export class RecordStreams {
  readonly taken: { stream: string; text: string; partitionKey: string | undefined }[] = [];
  readonly requests: { stream: string; records: number; bytes: number }[] = [];
  /** Asked for each request: throw to refuse it whole, or give each record's error. */
  trouble: (texts: readonly string[]) => readonly (string | undefined)[] = () => [];

  readonly streams: Streams = {
    put: async ({ kind, name }, records) => {
      const stream = `${kind}/${name}`;
      const texts = records.map(({ data }) => new TextDecoder().decode(data));
      const bytes = records.reduce(
        (sum, { data, partitionKey }) => sum + data.length + (partitionKey?.length ?? 0),
        0,
      );
      this.requests.push({ stream, records: records.length, bytes });
      const errors = this.trouble(texts);
      return records.map(({ partitionKey }, at) => {
        const errorCode = errors[at];
        if (errorCode !== undefined) return { errorCode, errorMessage: "not this one" };
        this.taken.push({ stream, text: texts[at] ?? "", partitionKey });
        return {};
      });
    },
  };
}

/** One device: its disk and clock outlive the component, which can be started, stopped and killed. */
export class Device {
  readonly clock = new DrivenClock(START_MS, () => new Promise((done) => setImmediate(done)));
  readonly disk: MemoryFiles;
  readonly bucket = new Bucket();
  readonly recordStreams = new RecordStreams();
  readonly keyPlaces = new KeyPlaces();
  /** What went to IoT Core beside heartbeats. */
  readonly published: { topic: string; qos: number; payload: Uint8Array }[] = [];
  publishTrouble: () => Error | undefined = () => undefined;
  readonly acknowledged = new Set<string>();
  readonly refused = new Map<string, string>();
  readonly heartbeats: Heartbeat[] = [];
  readonly logged: { level: string; message: string; fields: LogFields }[] = [];
  configuration: JsonObject = {};
  /** How wrong the device's wall clock is. */
  wallOffsetMs = 0;
  /** Where objects go: the bucket above, unless a test has a real one. */
  objects: Objects = this.bucket.objects;
  failed: string | undefined;
  readonly #random: SeededRandom;
  #life = { isAlive: false };
  #subscribers = new Map<string, (topic: string, message: LocalMessage) => void>();
  #configurationChanged: (() => void) | undefined;
  validate: ((configuration: JsonObject) => ValidationAnswer | Promise<ValidationAnswer>) | undefined;
  beforeUpdate: (() => number | Promise<number>) | undefined;
  #running: { stop(signal: AbortSignal): Promise<void> } | undefined;

  constructor(seed: string, disk: MemoryFiles = memoryFiles()) {
    this.#random = new SeededRandom(seed);
    this.disk = disk;
  }

  /** What was refused and put aside, each with its reason in front; what cannot be opened with these keys is left out. */
  async keptAside(keys: LogKeys = { known: new Map() }): Promise<string[]> {
    const kept: string[] = [];
    for await (const { records } of readLog(this.disk, QUARANTINE_FOLDER, nodeCrypto, { keys }))
      kept.push(...records.map(({ payload }) => new TextDecoder().decode(payload)));
    return kept;
  }

  async start(): Promise<void> {
    const life = { isAlive: true };
    this.#life = life;
    this.#subscribers = new Map();
    this.#running = await start(this.#ports(life));
  }

  /** The process is gone at once; with `power` what was not synced is gone too. */
  kill({ power = false } = {}): void {
    this.#life.isAlive = false;
    this.#subscribers = new Map();
    if (power) this.disk.crash();
  }

  async stop(signal = new AbortController().signal): Promise<void> {
    const stopping = this.#running?.stop(signal);
    await this.clock.settle();
    await stopping;
    this.kill();
  }

  publish(topic: string, message: LocalMessage): void {
    for (const [filter, receive] of this.#subscribers)
      if (filter === topic || (filter.endsWith("+") && topic.startsWith(filter.slice(0, -1))))
        receive(topic, message);
  }

  publishBatch(batch: string, points: readonly Measurement[]): void {
    this.publish(topics.measurements, { json: asOnAWire({ version: 1, batch, points }) });
  }

  async configure(configuration: JsonObject): Promise<void> {
    this.configuration = configuration;
    this.#configurationChanged?.();
    await this.clock.settle();
  }

  run(durationMs: number): Promise<void> {
    return this.clock.runUntil(this.clock.now() + durationMs);
  }

  #ports(life: { isAlive: boolean }): UploaderPorts {
    const alive = <Value>(value: Promise<Value>): Promise<Value> =>
      new Promise((resolve, reject) => {
        value.then(
          (result) => life.isAlive && resolve(result),
          (failure: unknown) => life.isAlive && reject(failure),
        );
      });
    const clock: UploaderPorts["clock"] = {
      now: () => this.clock.now() + this.wallOffsetMs,
      monotonicMs: () => this.clock.monotonicMs(),
      sleep: (durationMs, signal) => alive(this.clock.sleep(durationMs, signal)),
      timer: (delayMs, fire) => this.clock.timer(delayMs, () => life.isAlive && fire()),
    };
    const log =
      (level: string) =>
      (message: string, fields: LogFields = {}): void =>
        void this.logged.push({ level, message, fields });
    return {
      clock,
      random: this.#random,
      crypto: nodeCrypto,
      files: { ...mortal(this.disk, life), foreign: this.keyPlaces.foreign },
      objects: { put: (request) => (life.isAlive ? alive(this.objects.put(request)) : never()) },
      streams: {
        put: (target, records) =>
          life.isAlive ? alive(this.recordStreams.streams.put(target, records)) : never(),
      },
      log: { debug: log("DEBUG"), info: log("INFO"), warn: log("WARN"), error: log("ERROR") },
      process: {
        componentName: "coalmine.StreamUploader",
        componentVersion: "1.2.3",
        thingName: "thing-1",
        region: "eu-central-1",
        environment: () => undefined,
        memoryBytes: () => 0,
        fail: (reason) => (this.failed = reason),
      },
      ipc: this.#ipc(life),
    };
  }

  #ipc(life: { isAlive: boolean }): Ipc {
    const unused = (): never => {
      throw new Error("stream-uploader has no use for this");
    };
    return {
      publish: async (topic, message) => {
        if (!life.isAlive) await never();
        if (!("json" in message)) throw new Error("stream-uploader publishes JSON only");
        if (topic === topics.acknowledgements) {
          const { durable, refused } = Acknowledgement.parse(message.json);
          for (const batch of durable) this.acknowledged.add(batch);
          for (const { batch, reason } of refused) this.refused.set(batch, reason);
        }
        this.publish(topic, { json: asOnAWire(message.json) });
      },
      subscribe: async (filter, receive) => {
        this.#subscribers.set(filter, receive);
        return { close: async () => void this.#subscribers.delete(filter) };
      },
      publishToIotCore: async (topic, qos, payload) => {
        if (!life.isAlive) await never();
        if (topic === topics.heartbeat("thing-1") && qos === 1)
          this.heartbeats.push(Heartbeat.parse(JSON.parse(new TextDecoder().decode(payload))));
        else {
          const trouble = this.publishTrouble();
          if (trouble !== undefined) throw trouble;
          this.published.push({ topic, qos, payload });
        }
      },
      subscribeToIotCore: unused,
      getConfiguration: async () => structuredClone(this.configuration),
      updateConfiguration: unused,
      subscribeToConfigurationUpdate: async (_keyPath, changed) => {
        this.#configurationChanged = () => changed([]);
        return subscription;
      },
      subscribeToValidateConfigurationUpdates: async (validate) => {
        this.validate = validate;
        return subscription;
      },
      subscribeToComponentUpdates: async ({ before }) => {
        this.beforeUpdate = before;
        return subscription;
      },
      updateState: unused,
      getSecretValue: this.keyPlaces.getSecretValue,
      getThingShadow: unused,
      updateThingShadow: unused,
    };
  }
}

function asOnAWire(json: object): JsonObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JSON gave back of an object is one
  return JSON.parse(JSON.stringify(json)) as JsonObject;
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** Files that answer nothing any more, and do nothing, once their user is dead. */
function mortal(files: Files, life: { isAlive: boolean }): Files {
  const guard =
    <Rest extends unknown[], Value>(call: (...rest: Rest) => Promise<Value>) =>
    async (...rest: Rest): Promise<Value> => {
      if (!life.isAlive) return never();
      const value = await call(...rest);
      return life.isAlive ? value : never();
    };
  return {
    open: guard(async (path: string, mode: Parameters<Files["open"]>[1]) => {
      const file = await files.open(path, mode);
      return {
        read: guard((position: number, lengthBytes: number) => file.read(position, lengthBytes)),
        write: guard((position: number, bytes: Uint8Array) => file.write(position, bytes)),
        writeDurably: guard((position: number, bytes: Uint8Array) => file.writeDurably(position, bytes)),
        truncate: guard((sizeBytes: number) => file.truncate(sizeBytes)),
        sync: guard(() => file.sync()),
        size: guard(() => file.size()),
        close: guard(() => file.close()),
      };
    }),
    makeFolder: guard((path: string) => files.makeFolder(path)),
    list: guard((path: string) => files.list(path)),
    status: guard((path: string) => files.status(path)),
    rename: guard((from: string, to: string) => files.rename(from, to)),
    remove: guard((path: string) => files.remove(path)),
    syncFolder: guard((path: string) => files.syncFolder(path)),
    freeBytes: guard(() => files.freeBytes()),
    foreign: (path) => files.foreign(path),
  };
}

/** Points as sensor-reader and inference send them: a flow curve, and what a model made of it. */
export function curve(boot: number, first: number, count: number, atMs = START_MS): Measurement[] {
  return Array.from({ length: count }, (_, index): Measurement => {
    const sequence = first + index;
    return {
      instrument: InstrumentId.parse("rheo-1"),
      boot,
      sequence,
      channel: "apparent-viscosity",
      sampleTimeMs: atMs + sequence * 15_000 + 0.25,
      sampleTimeUncertaintyMs: 1.5,
      value: 4 + Math.sin(sequence),
      unit: "mPa.s",
      quality: sequence % 7 === 0 ? { level: "uncertain", cause: "clipped" } : { level: "good" },
      calibrationId: "cal-7",
      ...(sequence % 20 === 0
        ? {
            channel: "casson-yield-stress",
            derivation: {
              modelSha256: Sha256.parse("ab".repeat(32)),
              preprocessingVersion: 3,
              inputFrom: Math.max(0, sequence - 19),
              inputTo: sequence,
            },
          }
        : {}),
    };
  });
}

export const nameOf = (point: Pick<Measurement, "instrument" | "boot" | "sequence" | "channel">): string =>
  `${point.instrument}/${point.boot}/${point.sequence}/${point.channel}`;
