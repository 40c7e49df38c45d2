import { nodeCrypto } from "@coalmine/device/crypto";
import { memoryFiles, type MemoryFiles } from "@coalmine/durable-log";
import { Acknowledgement, MeasurementBatch, topics, type Measurement } from "@coalmine/contract";
import type { ComponentProcess, File, Files, Ipc, JsonObject, Link, Links, LogFields } from "@coalmine/ports";
import { MemoryIpc, silentLog, type DrivenClock, type SeededRandom } from "@coalmine/runtime";
import { start } from "../src/component.ts";
import type { Used } from "../src/sensor-reader.ts";

export const minutes = (n: number) => n * 60_000;

/** The process of a reader that nobody started on a device. */
export const onNoDevice: ComponentProcess = {
  componentName: "coalmine.SensorReader",
  componentVersion: "1.0.0",
  thingName: "thing",
  region: "eu-central-1",
  environment: () => undefined,
  memoryBytes: () => 0,
  fail: () => undefined,
};

/** What a test hands over: instruments on hosted lines, on a driven clock. */
export interface Site {
  readonly clock: DrivenClock;
  readonly random: SeededRandom;
  /** `releaseAll` is what the operating system does for a process that died. */
  readonly links: Links & { releaseAll(): void };
}

/** A site with a bus and an uploader; the reader under test is started and killed in it. */
export function world<Given extends Site>(
  site: Given,
  configuration: JsonObject = {},
  files: MemoryFiles = memoryFiles({ now: () => site.clock.now() }),
) {
  const { clock, random, links } = site;
  const ipc = new MemoryIpc(configuration);
  const uploader = new FakeUploader(ipc, clock);
  const wall = { wrongMs: 0 };
  const logged: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const note = (message: string, fields?: LogFields) => void logged.push({ message, fields });

  return {
    ...site,
    /** What the device's clock is wrong by; a step of it is somebody who sets it. */
    wall,
    ipc,
    files,
    uploader,
    logged,
    run: (durationMs: number) => clock.runUntil(clock.now() + durationMs),
    /** Starts the component as the core device does. `kill` is SIGKILL: nothing of it runs on, its links close. */
    async startReader() {
      let alive = true;
      const forever = new Promise<never>(() => undefined);
      const living = <Result>(act: () => Promise<Result>) => (alive ? act() : forever);
      const guarded = (link: Link): Link => ({
        write: (bytes) => living(() => link.write(bytes)),
        onData: (receive) => link.onData((bytes) => alive && receive(bytes)),
        onClose: (closed) => link.onClose((why) => alive && closed(why)),
        close: () => living(() => link.close()),
      });
      const ports: Used = {
        clock: {
          now: () => clock.now() + wall.wrongMs,
          monotonicMs: () => clock.monotonicMs(),
          timer: (delayMs, fire) => clock.timer(delayMs, () => alive && fire()),
          sleep: (durationMs, signal) => living(() => clock.sleep(durationMs, signal)),
        },
        random: random.fork(`reader ${clock.now()}`),
        ipc: mortal(ipc, () => alive, living),
        links: {
          list: () => living(() => links.list()),
          watch: (changed) => links.watch(() => alive && changed()),
          open: (target) => living(async () => guarded(await links.open(target))),
        },
        log: { ...silentLog, warn: note, error: note },
        files: mortalFiles(files, living),
        crypto: nodeCrypto,
        process: onNoDevice,
      };
      const running = await start(ports);
      return {
        running,
        /** `power`: what was not synced is gone too. */
        kill: (what: "power" | "process" = "power") => {
          alive = false;
          if (what === "power") files.crash();
          links.releaseAll();
        },
      };
    },
  };
}

/** Takes batches, makes them durable after a while, and says so. What it holds in memory dies with it. */
export class FakeUploader {
  /** What is durable, by the name a point has for ever. */
  readonly durable = new Map<string, Measurement>();
  readonly batches: MeasurementBatch[] = [];
  readonly invalid: unknown[] = [];
  commitMs = 50;
  onDurable: (batch: string) => void = () => undefined;
  isUp = true;
  #life = 0;

  constructor(ipc: MemoryIpc, clock: DrivenClock) {
    void ipc.subscribe(topics.measurements, (_topic, message) => {
      if (!this.isUp) return;
      const parsed = MeasurementBatch.safeParse("json" in message ? message.json : undefined);
      if (!parsed.success) {
        this.invalid.push(parsed.error);
        return;
      }
      const life = this.#life;
      clock.timer(this.commitMs, () => {
        if (life !== this.#life) return;
        this.batches.push(parsed.data);
        for (const point of parsed.data.points)
          this.durable.set(`${point.instrument}:${point.boot}:${point.sequence}:${point.channel}`, point);
        this.onDurable(parsed.data.batch);
        const acknowledgement: Acknowledgement = { version: 1, durable: [parsed.data.batch], refused: [] };
        void ipc.publish(topics.acknowledgements, { json: acknowledgement });
      });
    });
  }

  kill(): void {
    this.isUp = false;
    this.#life++;
  }
  startAgain(): void {
    this.isUp = true;
  }
}

/** What the ledger has and the lake has not, and the other way round. */
export function compare(
  ledger: {
    readonly entries: readonly {
      readonly instrument: string;
      readonly boot: number;
      readonly sequence: number;
      readonly channels: number;
    }[];
  },
  durable: ReadonlyMap<string, Measurement>,
) {
  const perReading = new Map<string, number>();
  for (const point of durable.values()) {
    const key = `${point.instrument}:${point.boot}:${point.sequence}`;
    perReading.set(key, (perReading.get(key) ?? 0) + 1);
  }
  const measured = new Map(
    ledger.entries.map((entry) => [`${entry.instrument}:${entry.boot}:${entry.sequence}`, entry.channels]),
  );
  return {
    lost: [...measured].filter(([key, channels]) => perReading.get(key) !== channels).map(([key]) => key),
    invented: [...perReading.keys()].filter((key) => !measured.has(key)),
  };
}

/** The bus as a process sees it that may die: nothing goes out or comes in after that. */
function mortal(
  ipc: MemoryIpc,
  isAlive: () => boolean,
  living: <Result>(act: () => Promise<Result>) => Promise<Result>,
): Ipc {
  return {
    publish: (topic, message) => living(() => ipc.publish(topic, message)),
    subscribe: (filter, receive) =>
      ipc.subscribe(filter, (topic, message) => {
        if (isAlive()) receive(topic, message);
      }),
    subscribeToConfigurationUpdate: (keyPath, changed) =>
      ipc.subscribeToConfigurationUpdate(keyPath, (at) => {
        if (isAlive()) changed(at);
      }),
    publishToIotCore: (topic, qos, payload) => living(() => ipc.publishToIotCore(topic, qos, payload)),
    subscribeToIotCore: () => living(() => ipc.subscribeToIotCore()),
    getConfiguration: (keyPath) => living(() => ipc.getConfiguration(keyPath)),
    updateConfiguration: (keyPath, value) => living(() => ipc.updateConfiguration(keyPath, value)),
    subscribeToValidateConfigurationUpdates: (validate) =>
      ipc.subscribeToValidateConfigurationUpdates(validate),
    subscribeToComponentUpdates: (handlers) => ipc.subscribeToComponentUpdates(handlers),
    updateState: () => ipc.updateState(),
    getSecretValue: () => ipc.getSecretValue(),
    getThingShadow: () => ipc.getThingShadow(),
    updateThingShadow: () => ipc.updateThingShadow(),
  };
}

/** Files as a process sees them that may die: what it began and awaits never comes back to it. */
function mortalFiles(files: Files, living: <Result>(act: () => Promise<Result>) => Promise<Result>): Files {
  const guarded = (file: File): File => ({
    read: (position, lengthBytes) => living(() => file.read(position, lengthBytes)),
    write: (position, bytes) => living(() => file.write(position, bytes)),
    writeDurably: (position, bytes) => living(() => file.writeDurably(position, bytes)),
    truncate: (sizeBytes) => living(() => file.truncate(sizeBytes)),
    sync: () => living(() => file.sync()),
    size: () => living(() => file.size()),
    close: () => living(() => file.close()),
  });
  return {
    open: (path, mode) => living(async () => guarded(await files.open(path, mode))),
    makeFolder: (path) => living(() => files.makeFolder(path)),
    list: (path) => living(() => files.list(path)),
    status: (path) => living(() => files.status(path)),
    rename: (from, to) => living(() => files.rename(from, to)),
    remove: (path) => living(() => files.remove(path)),
    syncFolder: (path) => living(() => files.syncFolder(path)),
    freeBytes: () => living(() => files.freeBytes()),
    foreign: (path) => files.foreign(path),
  };
}
