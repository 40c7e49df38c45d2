import { Acknowledgement, MeasurementBatch, topics } from "@coalmine/contract";
import { PORTS_VERSION, type Ports, type Running } from "@coalmine/ports";
import { Closing, HealthReport, liveConfiguration, Outbox } from "@coalmine/runtime";
import * as z from "zod";
import { Config } from "./config.ts";
import { inferenceHealth } from "./health.ts";
import { Inference } from "./inference.ts";

export const portsVersion = PORTS_VERSION;
export type Used = Pick<Ports, "clock" | "ipc" | "model" | "log" | "process">;

const Batch = z.compile(MeasurementBatch);
const Settled = z.compile(Acknowledgement);
const RESULTS_UNACKNOWLEDGED_MAX = 500;
const REPUBLISH_MAX_MS = 600_000;

/** Scores every complete window with the serving model and publishes the results as measurements. */
export async function start(ports: Used): Promise<Running> {
  const { ipc, log } = ports;
  const closing = new Closing();
  const health = new HealthReport(inferenceHealth, ports);
  const current = (): Config => configuration.current();
  const outbox = new Outbox(ports, () => ({
    batchesMax: RESULTS_UNACKNOWLEDGED_MAX,
    republishMs: current().republishSeconds * 1000,
    republishMaxMs: REPUBLISH_MAX_MS,
  }));
  let first: Config | undefined;
  const inference = new Inference(ports, health, outbox, () => first ?? current());
  closing.add(inference, () => inference.close());
  const configuration = await liveConfiguration(
    ports,
    Config,
    async (config, previous) => {
      if (previous !== undefined) return inference.configure(config);
      first = config;
      await inference.start(config);
    },
    (config) => inference.refusal(config),
  );
  first = undefined;
  closing.add(configuration, () => configuration.close());
  closing.add(outbox, () => outbox.close());

  const acknowledged = await ipc.subscribe(topics.acknowledgements, (_topic, message) => {
    const parsed = Settled.safeParse("json" in message ? message.json : undefined);
    if (parsed.success) outbox.settle(parsed.data);
    inference.restartIfNeeded();
  });
  closing.add(acknowledged, () => acknowledged.close());
  const measured = await ipc.subscribe(topics.measurements, (_topic, message) => {
    const parsed = Batch.safeParse("json" in message ? message.json : undefined);
    // stream-uploader names and counts what does not parse; here it is nobody's input.
    if (parsed.success) inference.take(parsed.data.points);
  });

  health.start(
    () => current().healthIntervalSeconds * 1000,
    () => inference.report(),
  );
  closing.add(health, () => health.stop());
  log.info("inference is running", { model: inference.sha256 });

  return {
    stop: async (signal) => {
      await measured.close();
      await inference.finish(signal);
      inference.report();
      await health.publish();
      await closing.close();
    },
  };
}
