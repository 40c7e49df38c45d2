import { healthKeys, topics } from "@coalmine/contract";
import { PORTS_VERSION, type Running } from "@coalmine/ports";
import { Closing, HealthReport, invariant, liveConfiguration, messageOf } from "@coalmine/runtime";
import { CalibrationHistory } from "./calibration-history.ts";
import { Config } from "./config.ts";
import { InstrumentDesk } from "./instrument-desk.ts";
import { SensorReader, type Used } from "./sensor-reader.ts";
import { takeOverSiteCalibrations } from "./site-calibrations.ts";

export const portsVersion = PORTS_VERSION;

/**
 * Reads instruments and publishes what they measure. An instrument's ring holds its readings until stream-uploader has
 * made them durable, and where there is no ring the reader's disk does: whichever of them dies, another still has them.
 */
export async function start(ports: Used): Promise<Running> {
  const { ipc, links, log } = ports;
  const closing = new Closing();
  const health = new HealthReport(healthKeys.sensorReader, ports);
  let reader: SensorReader | undefined;
  let calibrations: CalibrationHistory | undefined;
  const configuration = await liveConfiguration(ports, Config, async (config, previous) => {
    if (calibrations === undefined) {
      calibrations = await CalibrationHistory.open(ports, config.calibration);
      await takeOverSiteCalibrations(calibrations, ports);
    } else calibrations.enter(config.calibration);
    const lines = (of: Config) => JSON.stringify([of.ports, of.baudRate, of.framing, of.lines]);
    if (previous !== undefined && lines(previous) !== lines(config)) await reader?.reopen();
  });
  closing.add(configuration, () => configuration.close());
  invariant(calibrations !== undefined, "a configuration is applied before it is handed out");
  const history: CalibrationHistory = calibrations;
  closing.add(history, () => history.close());
  const running = new SensorReader(ports, health, configuration.current, history);
  reader = running;

  const acknowledged = await ipc.subscribe(topics.acknowledgements, (_topic, message) => {
    if ("json" in message) running.acknowledged(message.json);
  });
  closing.add(acknowledged, () => acknowledged.close());
  const desk = new InstrumentDesk(running, (answer) => {
    void ipc.publish(topics.instrumentAnswers, { json: answer }).catch((failure: unknown) => {
      log.warn("an answer about an instrument was not published; ask again", { reason: messageOf(failure) });
    });
  });
  const requests = await ipc.subscribe(topics.instrumentRequests, (_topic, message) => {
    if ("json" in message) void desk.asked(message.json);
  });
  closing.add(requests, () => requests.close());
  const gauges = () => {
    health.set("unacknowledged", running.unacknowledged);
    health.set("backlogBytes", running.backlogBytes);
    health.set("portsOpen", running.portsOpen);
    health.set("sampleMs", running.sampleMs);
    health.set("updateWaitsMs", running.updateWaitsMs);
  };
  const updates = await ipc.subscribeToComponentUpdates({
    before: () => {
      const isNews = running.updateWaitsMs === 0;
      const waitMs = running.deferUpdate();
      // Who waits for the device wants to know now what it waits for, not with the next report.
      if (isNews && waitMs > 0) {
        gauges();
        void health.publish();
      }
      return waitMs;
    },
    after: () => running.updateIsOver(),
  });
  closing.add(updates, () => updates.close());

  closing.add(running, () => running.stop());
  const watch = links.watch(() => void running.scan());
  closing.add(watch, () => watch.close());
  await running.scan();
  health.start(
    () => configuration.current().healthIntervalSeconds * 1000,
    () => {
      gauges();
      // A watch may miss a port; this finds it.
      void running.scan();
    },
  );
  closing.add(health, () => health.stop());
  log.info("sensor-reader is running");

  return {
    stop: async () => {
      gauges();
      await health.publish();
      await closing.close();
    },
  };
}
