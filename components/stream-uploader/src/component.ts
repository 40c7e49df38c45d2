import { topics } from "@coalmine/contract";
import { DurableLog } from "@coalmine/durable-log";
import { type Ports, PORTS_VERSION, type Running } from "@coalmine/ports";
import { Closing, messageOf } from "@coalmine/runtime";
import { type Config, parseConfig } from "./config.ts";
import { DiskReserve } from "./disk-reserve.ts";
import { every } from "./every.ts";
import { HEARTBEAT_EVERY_MS, Heartbeats } from "./heartbeats.ts";
import { Intake } from "./intake.ts";
import { Quarantine } from "./quarantine.ts";
import { restore } from "./restore.ts";
import { UploaderHealth } from "./uploader-health.ts";
import { Uploads } from "./uploads.ts";

export const portsVersion = PORTS_VERSION;

export type UploaderPorts = Pick<
  Ports,
  "clock" | "random" | "ipc" | "files" | "objects" | "crypto" | "log" | "process"
>;

/** The log's own overhead in a segment file leaves this much for one batch; 500 points take about 20 KiB. */
const SEGMENT_BYTES = 2 ** 20;
/** How long an update is asked to wait while an edge is being written. */
const UPDATE_WAIT_MS = 5000;

/** Makes measurements durable and acknowledges them; carries them into the lake; sends the device's heartbeat. */
export async function start(ports: UploaderPorts): Promise<Running> {
  const { clock, random, ipc, files, objects, crypto, log, process: own } = ports;
  let config = await readConfig(ports);
  const health = new UploaderHealth(clock.now(), own);
  const closing = new Closing();

  const store = await DurableLog.open({
    files,
    clock,
    crypto,
    folder: "log",
    segmentBytes: SEGMENT_BYTES,
    capBytes: config.diskLimitBytes,
    whenFull: config.whenFull,
    onOverwritten: ({ first, last, records }) => {
      health.count("overwrittenRecords", records);
      log.error("the oldest records were given up to make room", { first, last });
    },
    onDamaged: ({ segment, from, to, isKept }) =>
      log.warn("bytes of the log hold no record", { segment, from, to, isKept }),
  });
  closing.add(store, (store) => store.close());
  if (store.recovered.tornBytes > 0)
    log.info("a crash tore what was not acknowledged yet", { tornBytes: store.recovered.tornBytes });
  const cursor = await store.cursor("lake");
  const { seen, plan } = await restore({ files, crypto, log, store, cursor, config });

  const thing = own.thingName;
  const reserve = new DiskReserve(files);
  if (!(await reserve.take())) log.warn("the disk is full: there is no room to reserve");
  const quarantine = new Quarantine(files);
  const intake: Intake = new Intake({
    clock,
    ipc,
    log,
    store,
    seen,
    plan,
    health,
    quarantine,
    limits: () => config,
    committed: (points) => uploads.stored(points),
    fail: (reason) => own.fail(reason),
  });
  const uploads: Uploads = new Uploads({
    clock,
    random,
    files,
    crypto,
    objects,
    log,
    thing,
    store,
    cursor,
    seen,
    plan,
    intake,
    health,
    reserve,
    config: () => config,
  });
  const heartbeats = new Heartbeats({ clock, ipc, log, thing, health });

  const ownHealth = topics.health(own.componentName);
  const tellHealth = async (): Promise<void> => {
    const report = health.report({
      backlogPoints: plan.backlogPoints,
      backlogBytes: plan.backlogBytes,
      oldestAgeMs: plan.oldestMs === undefined ? 0 : Math.max(0, clock.now() - plan.oldestMs),
      diskFreeBytes: await files.freeBytes(),
    });
    heartbeats.take(report);
    await ipc.publish(ownHealth, { json: report });
  };
  const applyConfig = async (): Promise<void> => {
    const parsed = parseConfig(await ipc.getConfiguration([]));
    if ("problem" in parsed) {
      log.error("the configuration is kept as it was", { problem: parsed.problem });
      return;
    }
    config = parsed.config;
    store.configure({ capBytes: config.diskLimitBytes, whenFull: config.whenFull });
    uploads.wake();
    log.info("the configuration was applied");
  };
  const warn =
    (message: string) =>
    (failure: unknown): void =>
      log.warn(message, { cause: messageOf(failure) });

  const open = async (subscribing: ReturnType<typeof ipc.subscribe>): Promise<void> => {
    closing.add(await subscribing, (subscription) => subscription.close());
  };
  await open(
    ipc.subscribeToValidateConfigurationUpdates((candidate) => {
      const parsed = parseConfig(candidate);
      return "problem" in parsed ? { status: "REJECTED", message: parsed.problem } : { status: "ACCEPTED" };
    }),
  );
  await open(
    ipc.subscribeToConfigurationUpdate([], () => {
      applyConfig().catch(warn("a new configuration could not be read"));
    }),
  );
  await open(
    ipc.subscribeToComponentUpdates({
      before: () => (uploads.isFixingEdge ? UPDATE_WAIT_MS : 0),
      after: () => undefined,
    }),
  );
  await open(
    ipc.subscribe(topics.healthOfAll, (topic, message) => {
      // Its own health it knows.
      if (topic !== ownHealth) heartbeats.hear(topic, message);
    }),
  );
  await open(ipc.subscribe(topics.measurements, (_topic, message) => intake.receive(message)));

  const uploading = uploads.run().catch((failure: unknown) => {
    own.fail(`uploading ended: ${messageOf(failure)}`);
  });
  const telling = every(
    clock,
    () => config.healthIntervalSeconds * 1000,
    tellHealth,
    warn("health was not published"),
  );
  const beating = every(
    clock,
    () => HEARTBEAT_EVERY_MS,
    () => heartbeats.send(),
    warn("a heartbeat was not sent"),
  );
  log.info("started", { epoch: store.epoch, backlogPoints: plan.backlogPoints });

  return {
    async stop(signal) {
      telling.stop();
      beating.stop();
      uploads.stop();
      // What arrived is stored and acknowledged; an upload under way may end; nothing waits beyond the signal.
      await untilAborted(
        (async () => {
          await intake.stop();
          await uploading;
          await closing.close();
        })(),
        signal,
      );
      log.info("stopped", { backlogPoints: plan.backlogPoints });
    },
  };
}

async function readConfig({ ipc }: Pick<UploaderPorts, "ipc">): Promise<Config> {
  // A component that was never configured runs on its defaults.
  const value = await ipc.getConfiguration([]).catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ResourceNotFoundError") return {};
    throw failure;
  });
  const parsed = parseConfig(value);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.config;
}

function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve();
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
