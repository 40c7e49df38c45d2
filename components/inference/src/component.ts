import { Acknowledgement, healthKeys, MeasurementBatch, topics } from "@coalmine/contract";
import { PORTS_VERSION, type Ports, type Running } from "@coalmine/ports";
import { Closing, HealthReport, liveConfiguration, messageOf, Outbox } from "@coalmine/runtime";
import { Config } from "./config.ts";
import { type FlowCurve, FlowCurves } from "./flow-curve.ts";
import { features, results, score } from "./score.ts";
import { ServingModel } from "./serving-model.ts";

export const portsVersion = PORTS_VERSION;
export type Used = Pick<Ports, "clock" | "ipc" | "model" | "log" | "process">;

/** Windows that wait for the model; beyond this the oldest is dropped and counted as failed. */
const WINDOWS_WAITING_MAX = 200;
const RESULTS_UNACKNOWLEDGED_MAX = 500;
const REPUBLISH_MAX_MS = 600_000;

/** Scores every complete flow curve with the serving model and publishes the results as measurements. */
export async function start(ports: Used): Promise<Running> {
  const { clock, ipc, log, process } = ports;
  const closing = new Closing();
  const health = new HealthReport(healthKeys.inference, ports);
  const serving = new ServingModel(ports, process.environment("COALMINE_GREENGRASS_ROOT") ?? "");
  closing.add(serving, () => serving.close());
  const curves = new FlowCurves(() => serving.serving?.manifest.preprocessing.points ?? 20);
  const waiting: { curve: FlowCurve; arrivedMs: number }[] = [];
  let working = Promise.resolve();
  let stopped = false;

  const configuration = await liveConfiguration(
    ports,
    Config,
    (config, previous) => {
      if (previous === undefined) return serving.start(config.model);
      // The swap takes its place in the queue of windows: what came before is scored by the old model.
      return (working = working.then(() => swapTo(config)));
    },
    (config) => serving.check(config.model),
  );
  closing.add(configuration, () => configuration.close());
  const outbox = new Outbox(ports, () => ({
    batchesMax: RESULTS_UNACKNOWLEDGED_MAX,
    republishMs: configuration.current().republishSeconds * 1000,
    republishMaxMs: REPUBLISH_MAX_MS,
  }));
  closing.add(outbox, () => outbox.close());

  const acknowledged = await ipc.subscribe(topics.acknowledgements, (_topic, message) => {
    const parsed = Acknowledgement.safeParse("json" in message ? message.json : undefined);
    if (parsed.success) outbox.settle(parsed.data);
  });
  closing.add(acknowledged, () => acknowledged.close());
  const measured = await ipc.subscribe(topics.measurements, (_topic, message) => {
    const parsed = MeasurementBatch.safeParse("json" in message ? message.json : undefined);
    // stream-uploader names and counts what does not parse; here it is nobody's input.
    if (!parsed.success) return;
    for (const curve of curves.add(parsed.data.points)) take(curve);
  });
  closing.add(measured, () => measured.close());

  health.start(
    () => configuration.current().healthIntervalSeconds * 1000,
    () => health.set("modelReady", serving.serving === undefined ? 0 : 1),
  );
  closing.add(health, () => health.stop());
  log.info("inference is running", { model: serving.serving?.manifest.sha256 });

  return {
    stop: async () => {
      stopped = true;
      await working;
      await health.publish();
      await closing.close();
    },
  };

  function take(curve: FlowCurve): void {
    health.add("windows");
    waiting.push({ curve, arrivedMs: clock.monotonicMs() });
    if (waiting.length > WINDOWS_WAITING_MAX) {
      const dropped = waiting.shift();
      health.add("failed");
      log.warn("a window was dropped: the model is slower than the instruments", {
        instrument: dropped?.curve.instrument,
        from: dropped?.curve.from,
        waitingMax: WINDOWS_WAITING_MAX,
      });
    }
    working = working.then(scoreNext);
  }

  async function scoreNext(): Promise<void> {
    const next = waiting.shift();
    const model = serving.serving;
    if (next === undefined || model === undefined || stopped) return;
    const { curve, arrivedMs } = next;
    const startedMs = clock.monotonicMs();
    try {
      const scored = await score(model.model, model.manifest, features(curve));
      const endedMs = clock.monotonicMs();
      health.observe("runMs", endedMs - startedMs);
      health.observe("latencyMs", endedMs - arrivedMs);
      const batch = `Inference:${curve.instrument}:${curve.boot}:${curve.from}-${curve.to}:${model.manifest.sha256.slice(0, 12)}`;
      if (!outbox.offer(batch, results(curve, scored, model.manifest))) {
        throw new Error(
          `${RESULTS_UNACKNOWLEDGED_MAX} results wait for stream-uploader's acknowledgement already`,
        );
      }
      health.add("results");
    } catch (failure) {
      health.add("failed");
      log.error("a window could not be scored", {
        instrument: curve.instrument,
        from: curve.from,
        reason: messageOf(failure),
      });
    }
  }

  async function swapTo(config: Config): Promise<void> {
    try {
      const before = serving.serving?.manifest.sha256;
      await serving.swap(config.model);
      if (before === serving.serving?.manifest.sha256) return;
      health.add("modelSwaps");
      log.info("another model serves from here on", { before, after: serving.serving?.manifest.sha256 });
    } catch (refused) {
      log.error("a model was refused and the serving one kept", { reason: messageOf(refused) });
    }
  }
}
