import { topics } from "@coalmine/contract";
import { type Ports, PORTS_VERSION, type Running } from "@coalmine/ports";
import { Closing, messageOf, phaseOf, untilPhase } from "@coalmine/runtime";
import { AlarmRule } from "./alarm-rule.ts";
import { Books } from "./books.ts";
import { type Config, parseConfig } from "./config.ts";
import { DiskReserve } from "./disk-reserve.ts";
import { every } from "./every.ts";
import { HEARTBEAT_EVERY_MS, HEARTBEAT_LAG_MS, Heartbeats } from "./heartbeats.ts";
import { Intake } from "./intake.ts";
import { Lanes } from "./lanes.ts";
import { keyProblem, unlock } from "./log-keys.ts";
import { PointStream, type StreamName } from "./point-stream.ts";
import { Quarantine } from "./quarantine.ts";
import { restore } from "./restore.ts";
import { UploaderHealth } from "./uploader-health.ts";

export const portsVersion = PORTS_VERSION;

export type UploaderPorts = Pick<
  Ports,
  "clock" | "random" | "ipc" | "files" | "objects" | "streams" | "crypto" | "log" | "process"
>;

/** How long an update is asked to wait while an edge is being written. */
const UPDATE_WAIT_MS = 5000;

/** Makes measurements durable and acknowledges them; carries them into the lake; sends the device's heartbeat. */
export async function start(ports: UploaderPorts): Promise<Running> {
  const { clock, ipc, files, crypto, log, process: own } = ports;
  let config = await readConfig(ports);
  const health = new UploaderHealth(clock.now(), own);
  const closing = new Closing();
  const thing = own.thingName;
  const fail = (reason: string): void => own.fail(reason);

  const streams = await openStreams({ ...ports, health, config: () => config }, closing);
  const quarantine = await Quarantine.open({ files, clock, crypto });
  closing.add(quarantine.log, (kept) => kept.close());
  const keyParts = { clock, ipc, files, log, quarantine, streams: () => [streams.alarms, streams.readings] };
  await unlock(keyParts, config.encryption);
  const { seen, lanes: restored, gone } = await restore({ files, crypto, log, streams, config });
  const reserve = new DiskReserve(files);
  if (!(await reserve.take())) log.warn("the disk is full: there is no room to reserve");
  const books: Books = new Books({
    files,
    crypto,
    streams,
    seen,
    reserve,
    intake: () => intake,
    lanes: () => lanes.all,
  });
  const intake = new Intake({
    clock,
    ipc,
    log,
    streams,
    alarms: new AlarmRule(() => config.alarms),
    seen,
    health,
    quarantine,
    committed: (points) => books.stored(points),
    fail,
  });
  const lanes: Lanes = new Lanes({
    ...ports,
    thing,
    logs: streams,
    quarantine,
    health,
    reserve,
    books,
    config: () => config,
    fail,
  });
  for (const lane of gone) await lanes.forget(lane);
  for (const lane of restored) lanes.start(lane);
  const heartbeats = new Heartbeats({ clock, ipc, log, thing, health });

  const ownHealth = topics.health(own.componentName);
  const tellHealth = async (): Promise<void> => {
    const report = health.report({
      ...lanes.gauges(),
      logBytes: streams.readings.store.sizeBytes + streams.alarms.store.sizeBytes,
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
    const { encryption } = parsed.config;
    if (!isEqual(config.encryption, encryption)) {
      const problem = await unlock(keyParts, encryption).then(() => undefined, messageOf);
      if (problem !== undefined) {
        log.error("the configuration is kept as it was", { problem });
        return;
      }
    }
    config = keepingEqual(config, parsed.config);
    for (const stream of [streams.alarms, streams.readings]) await stream.fitDisk();
    await lanes.reconfigured();
    log.info("the configuration was applied");
  };
  // One change at a time: the newest is applied last.
  let applying: Promise<void> = Promise.resolve();
  const warn =
    (message: string) =>
    (failure: unknown): void =>
      log.warn(message, { cause: messageOf(failure) });

  const open = async (subscribing: ReturnType<typeof ipc.subscribe>): Promise<void> => {
    closing.add(await subscribing, (subscription) => subscription.close());
  };
  const keyProblemOf = async ({ encryption }: Config): Promise<string | undefined> =>
    isEqual(config.encryption, encryption) ? undefined : keyProblem(keyParts, encryption);
  await open(
    ipc.subscribeToValidateConfigurationUpdates(async (candidate) => {
      const parsed = parseConfig(candidate);
      const problem = "problem" in parsed ? parsed.problem : await keyProblemOf(parsed.config);
      return problem === undefined ? { status: "ACCEPTED" } : { status: "REJECTED", message: problem };
    }),
  );
  await open(
    ipc.subscribeToConfigurationUpdate([], () => {
      applying = applying.then(applyConfig).catch(warn("a new configuration could not be read"));
    }),
  );
  await open(
    ipc.subscribeToComponentUpdates({
      before: () => (lanes.all.some(({ isFixingEdge }) => isFixingEdge) ? UPDATE_WAIT_MS : 0),
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

  const phaseMs = phaseOf(own.thingName);
  const telling = every(
    clock,
    () => untilPhase(clock, phaseMs, config.healthIntervalSeconds * 1000),
    tellHealth,
    warn("health was not published"),
  );
  const beating = every(
    clock,
    () => untilPhase(clock, phaseMs + HEARTBEAT_LAG_MS, HEARTBEAT_EVERY_MS),
    async () => {
      for (const stream of [streams.alarms, streams.readings])
        await stream.tend().catch(warn("what time alone brings about was left for later"));
      await heartbeats.send();
    },
    warn("a heartbeat was not sent"),
  );
  const backlog = (): { backlogPoints: number } => ({ backlogPoints: lanes.gauges().backlogPoints });
  log.info("started", {
    epoch: streams.readings.store.epoch,
    sinks: [...config.sinks.keys()].join(" "),
    ...backlog(),
  });

  return {
    async stop(signal) {
      telling.stop();
      beating.stop();
      // What arrived is stored and acknowledged; an upload under way may end; nothing waits beyond the signal.
      await untilAborted(
        (async () => {
          const sent = lanes.stop();
          await intake.stop();
          // A start reads only what is behind the last checkpoint.
          await books.checkpoint().catch(warn("the last checkpoint was not written"));
          await sent;
          await closing.close();
        })(),
        signal,
      );
      log.info("stopped", backlog());
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

/** Opens the logs. */
async function openStreams(
  parts: Parameters<typeof PointStream.open>[1],
  closing: Closing,
): Promise<Record<StreamName, PointStream>> {
  const open = async (name: StreamName): Promise<PointStream> => {
    const stream = await PointStream.open(name, parts);
    closing.add(stream.store, (store) => store.close());
    return stream;
  };
  return { alarms: await open("alarms"), readings: await open("readings") };
}

/** A sink whose settings did not change keeps them, and goes on with what is under way. */
function keepingEqual(before: Config, after: Config): Config {
  for (const [name, settings] of after.sinks) {
    const old = before.sinks.get(name);
    if (old !== undefined && isEqual(old, settings)) after.sinks.set(name, old);
  }
  return after;
}

function isEqual(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve();
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
