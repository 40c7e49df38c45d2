import { nodeCrypto } from "@coalmine/device/crypto";
import type { Clock, CloudLogs, Crypto, Files, Ipc, Objects } from "@coalmine/ports";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { acceptBatch } from "../../cloud/logs/put-log-events.ts";
import { Life } from "./life.ts";
import { livingFiles } from "./living-files.ts";
import { livingClock, livingCloudLogs, livingIpc, livingObjects } from "./living-ports.ts";
import { LoneBucket } from "./lone-bucket.ts";

const SYNC_MS = 3;

/**
 * What a test hands to one component that it runs, kills and starts again: a driven clock, chance from a seed, the real
 * rules of CloudWatch Logs, and lives that end as a process does. The caller runs the clock, and ends the lives.
 */
export interface LoneComponent {
  readonly clock: DrivenClock;
  readonly random: SeededRandom;
  readonly crypto: Crypto;
  /** A bucket by the rules of S3, to be created. */
  readonly bucket: LoneBucket;
  rules(events: Parameters<typeof acceptBatch>[0], nowMs: number): ReturnType<typeof acceptBatch>;
  readonly living: {
    life(): Life;
    clock(clock: Clock, life: Life): Clock;
    ipc(ipc: Ipc, life: Life): Ipc;
    files(files: Files, life: Life, clock: Clock): Files;
    cloudLogs(cloudLogs: CloudLogs, life: Life): CloudLogs;
    objects(objects: Objects, life: Life): Objects;
  };
}

export function loneComponent(seed: string, startMs: number): LoneComponent {
  const clock = new DrivenClock(startMs, () => new Promise(setImmediate));
  const random = new SeededRandom(seed);
  return {
    clock,
    random,
    bucket: new LoneBucket(clock, random.fork("bucket")),
    crypto: nodeCrypto,
    rules: (events, nowMs) => acceptBatch(events, nowMs, undefined),
    living: {
      life: () => new Life(),
      clock: livingClock,
      ipc: livingIpc,
      files: (files, life, clock) => livingFiles(files, life, clock, () => SYNC_MS),
      cloudLogs: livingCloudLogs,
      objects: livingObjects,
    },
  };
}
