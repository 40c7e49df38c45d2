import { healthKeys } from "@coalmine/contract";
import { PORTS_VERSION, type Ports, type Running } from "@coalmine/ports";
import { Closing, HealthReport, liveConfiguration } from "@coalmine/runtime";
import { ClockWatch } from "./clock/clock-watch.ts";
import { Config, type LogSource, sources } from "./config.ts";
import { DeadLetters } from "./dead-letters/dead-letters.ts";
import { LetterUpload } from "./dead-letters/letter-upload.ts";
import { LocalTopic } from "./local-topic.ts";
import { Positions } from "./positions.ts";
import type { Target } from "./put-batch.ts";
import { Redactor } from "./redactor.ts";
import { RequestRate } from "./request-rate.ts";
import { ServerTime } from "./server-time.ts";
import { Tally } from "./tally.ts";
import { within } from "./within.ts";
import { Work } from "./work.ts";

/** IPC is waited for so long at the end: a nucleus that stops may not answer any more. */
const LAST_WORD_MS = 400;

export const portsVersion = PORTS_VERSION;
export type Used = Pick<
  Ports,
  "clock" | "random" | "ipc" | "files" | "cloudLogs" | "objects" | "crypto" | "log" | "process"
>;

/** Tails the components' log files and puts them to CloudWatch Logs, every line at least once. */
export async function start(ports: Used): Promise<Running> {
  const { clock, files, log, process } = ports;
  const closing = new Closing();
  const root = process.environment("COALMINE_GREENGRASS_ROOT") ?? "";
  const positions = await Positions.open(ports);
  closing.add(positions, () => positions.close());
  const health = new HealthReport(healthKeys.logManager, ports);
  const tally = new Tally(health);
  let config = Config.parse({});
  const deadLetters = new DeadLetters(ports, () => config.deadLetterLimitKB * 1024);
  const rate = new RequestRate(
    clock,
    () => config.cloudWatch.requestsPerSecond,
    () => health.add("delayedRequests"),
  );
  const serverTime = new ServerTime(clock, () => config.cloudWatch.retentionDays);
  const clockWatch = new ClockWatch(clock, serverTime, ({ stepMs, wasRight }) => {
    health.add("clockSteps");
    log.warn("the clock was set, or the device slept", { stepMs, wasRight });
  });
  closing.add(clockWatch, () => Promise.resolve(clockWatch.close()));
  const uploading = {
    ...ports,
    uploaded: (letters: number) => health.add("deadLettersUploaded", letters),
    failed: () => health.add("deadLetterUploadFailures"),
  };
  let work: Work | undefined;
  let isStopping = false;
  // A changed configuration stops what runs by the old one; its files go on from where they were acknowledged.
  const configuration = await liveConfiguration(ports, Config, async (next) => {
    await work?.stop();
    if (isStopping) return;
    config = next;
    work = new Work(files, sources(next, root), {
      ...ports,
      config: next,
      redactor: new Redactor(next.redaction),
      positions,
      deadLetters,
      serverTime,
      rate,
      clockWatch,
      tally,
      letterUpload:
        next.deadLetters === undefined
          ? undefined
          : new LetterUpload(uploading, deadLetters, next.deadLetters, process.thingName),
      localTopic: next.publishLocally ? new LocalTopic(clock, ports.ipc) : undefined,
      target,
    });
  });
  health.start(() => config.healthIntervalSeconds * 1000, report);
  log.info("log-manager is running", { sources: work === undefined ? 0 : sources(config, root).length });

  return {
    stop: async () => {
      // First, so that no change brings new work in while the old one stops.
      isStopping = true;
      await within(configuration.close(), LAST_WORD_MS, clock);
      await work?.stop();
      health.stop();
      await closing.close();
      report();
      await within(health.publish(), LAST_WORD_MS, clock);
    },
  };

  function report(): void {
    const lags = work?.uploaders.map((uploader) => uploader.lag()) ?? [];
    health.set(
      "lagBytes",
      lags.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    health.set("lagMs", Math.max(0, ...lags.map(({ ms }) => ms)));
    health.set("pendingLines", tally.pending);
    health.set("deadLetterBytes", deadLetters.sizeBytes);
    health.add("deadLettersDropped", deadLetters.dropped - health.count("deadLettersDropped"));
    health.add("checkpointFailures", positions.failures - health.count("checkpointFailures"));
    health.add("localEventsDropped", work?.takeLocalDropped() ?? 0);
  }

  function target(source: LogSource, date: string): Target {
    const { logGroupName, logStreamName, retentionDays, kmsKeyId, logGroupClass, tags } = config.cloudWatch;
    const places: Readonly<Record<string, string>> = {
      componentType: source.componentType,
      region: process.region,
      componentName: source.component,
      // A stream's name may not have a colon, a thing's may.
      thingName: process.thingName.replaceAll(":", "+"),
      date,
    };
    const filled = (template: string): string =>
      template.replaceAll(/\{(\w+)\}/g, (_, place: string) => places[place] ?? "");
    return {
      group: filled(logGroupName),
      stream: filled(logStreamName),
      settings: { retentionDays, kmsKeyId, logGroupClass, tags },
    };
  }
}
