import type { ComponentHealth } from "@coalmine/contract";
import { type MemoryFiles, memoryFiles } from "@coalmine/durable-log/memory-files";
import type { Clock, CloudLogs, Crypto, Files, Ipc, JsonObject, Objects, Running } from "@coalmine/ports";
import { type DrivenClock, MemoryIpc, type SeededRandom, silentLog } from "@coalmine/runtime";
import { start, type Used } from "../src/component.ts";
import { LogDisk, type Node } from "./log-disk.ts";
import { type Rules, type Session, UnsteadyCloud } from "./unsteady-cloud.ts";

export const component = "coalmine.Example";

/** How a run of the component is cut off from its ports: what it awaits then is never answered. */
export interface Ending {
  readonly isOver: boolean;
  end(): void;
}
export interface Living {
  life(): Ending;
  clock(clock: Clock, life: Ending): Clock;
  ipc(ipc: Ipc, life: Ending): Ipc;
  files(files: Files, life: Ending, clock: Clock): Files;
  cloudLogs(cloudLogs: CloudLogs, life: Ending): CloudLogs;
  objects(objects: Objects, life: Ending): Objects;
}

export interface Given {
  readonly clock: DrivenClock;
  readonly random: SeededRandom;
  readonly crypto: Crypto;
  readonly rules: Rules;
  readonly bucket: { readonly objects: Objects };
  readonly living: Living;
}

/** A device with logs, a cloud behind a bad line, and a log-manager that is started and killed. */
export class World {
  readonly given: Given;
  readonly disk: LogDisk;
  readonly cloud: UnsteadyCloud;
  readonly ipc: MemoryIpc;
  readonly work: MemoryFiles;
  /** How far the device's clock is wrong. */
  skewMs = 0;
  session: Session = { isAlive: () => false, failures: 0, accepted: 0, rejected: 0 };
  readonly health: ComponentHealth[] = [];
  /** What the component's log said at level ERROR, of all runs. */
  readonly errors: Readonly<Record<string, unknown>>[] = [];
  #running: Running | undefined;
  #life: Ending | undefined;

  constructor(given: Given, configuration: JsonObject = {}) {
    this.given = given;
    const { clock, random, rules } = given;
    this.disk = new LogDisk(() => clock.now() + this.skewMs);
    this.cloud = new UnsteadyCloud(clock, random.fork("cloud"), rules);
    const { logs, ...rest } = configuration;
    this.ipc = new MemoryIpc({
      logsUploaderConfiguration: {
        componentLogsConfigurationMap: {
          [component]: {
            logFileRegex: String.raw`^app.*\.log(\.\d+)?$`,
            logFileDirectoryPath: "/logs",
            ...asObject(logs),
          },
        },
      },
      ...rest,
    });
    this.ipc.deliver = (topic, message) => {
      if (topic.startsWith("coalmine/health/") && "json" in message)
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the component under test published.
        this.health.push(message.json as unknown as ComponentHealth);
      return true;
    };
    this.work = memoryFiles({ now: () => clock.now(), foreign: () => this.disk.folder() });
  }

  run(durationMs: number): Promise<void> {
    return this.given.clock.runUntil(this.given.clock.now() + durationMs);
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  async start(): Promise<void> {
    const { clock: driven, random, crypto, bucket, living } = this.given;
    const life = living.life();
    this.session = { isAlive: () => !life.isOver, failures: 0, accepted: 0, rejected: 0 };
    this.health.length = 0;
    const own: Clock = {
      now: () => driven.now() + this.skewMs,
      monotonicMs: () => driven.monotonicMs(),
      sleep: (durationMs, signal) => driven.sleep(durationMs, signal),
      timer: (delayMs, fire) => driven.timer(delayMs, fire),
    };
    const clock = living.clock(own, life);
    const ports: Used = {
      clock,
      random: random.fork("component"),
      ipc: living.ipc(this.ipc, life),
      files: living.files(this.work, life, clock),
      cloudLogs: living.cloudLogs(this.cloud.session(this.session), life),
      objects: living.objects(bucket.objects, life),
      crypto,
      log: { ...silentLog, error: (message, fields) => void this.errors.push({ message, ...fields }) },
      process: {
        componentName: "coalmine.LogManager",
        componentVersion: "1.0.0",
        thingName: "site:7",
        region: "eu-central-1",
        environment: () => "/r",
        memoryBytes: () => 0,
        fail: () => undefined,
      },
    };
    this.#life = life;
    const starting = start(ports);
    await this.run(100);
    this.#running = await starting;
  }

  /** As SIGTERM does; the caller runs the clock. */
  stopping(): Promise<void> | undefined {
    return this.#running?.stop(AbortSignal.abort());
  }

  async stop(): Promise<void> {
    const stopping = this.stopping();
    await this.run(10_000);
    await stopping;
    this.#running = undefined;
    this.#life?.end();
    this.disk.dropHandles();
  }

  /** As SIGKILL does; what was written to files stays, synced or not. With `powerCut` only what was synced. */
  kill(powerCut: boolean): void {
    this.#life?.end();
    this.#running = undefined;
    this.disk.dropHandles();
    if (powerCut) this.work.crash();
  }

  /** Writes one JSON line to the file of that name, made where there is none. */
  write(name: string, message: string, fields: JsonObject = {}): Node {
    const node = this.disk.names.get(name) ?? this.disk.create(name);
    const timestamp = Math.floor(this.given.clock.now() + this.skewMs);
    this.disk.append(node, `${JSON.stringify({ timestamp, level: "INFO", message, ...fields })}\n`);
    return node;
  }

  /** The events that the service keeps, as messages. */
  messages(): string[] {
    return this.cloud.stored.map(({ message }) => message);
  }

  /** What the service keeps, without the JSON around it. */
  texts(): string[] {
    return this.messages().map((message) =>
      message.startsWith("{") ? String(JSON.parse(message).message) : message,
    );
  }

  /** The counters of this run, as they were last told. */
  counters(): Readonly<Record<string, number>> {
    return this.health.at(-1)?.counters ?? {};
  }

  deadLetters(): { readonly cause: string; readonly message: string; readonly eid: string }[] {
    const texts = [...this.work.contents()]
      .filter(([name]) => name.startsWith("rejected"))
      .map(([, bytes]) => new TextDecoder().decode(bytes));
    return texts
      .join("")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }
}

function asObject(value: unknown): JsonObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test's own configuration.
  return (value ?? {}) as JsonObject;
}

/** The books must balance at any moment. */
export function imbalance({ counters, gauges }: ComponentHealth): number {
  const count = (key: string): number => counters[key] ?? Number.NaN;
  return (
    count("lines") -
    count("uploadedLines") -
    count("filteredLines") -
    count("rejectedTooOldLines") -
    count("rejectedTooNewLines") -
    count("rejectedExpiredLines") -
    count("rejectedInvalidLines") -
    count("lostLines") -
    (gauges["pendingLines"] ?? Number.NaN)
  );
}
