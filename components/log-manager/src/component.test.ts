import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { s3Objects } from "@coalmine/device/objects";
import { workFiles } from "@coalmine/device/work-files";
import type { AwsError, LogEvent } from "@coalmine/ports";
import { MemoryIpc, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { start } from "./component.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "coalmine-logs-"));
  mkdirSync(join(root, "logs"));
  mkdirSync(join(root, "work"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const component = "coalmine.SensorReader";
const active = () => join(root, "logs", `${component}.log`);
const rotated = (hour: string) => join(root, "logs", `${component}_2026_11_23_${hour}_0.log`);
let stamp = Date.UTC(2026, 10, 23, 9);
const line = (message: string, level = "INFO") =>
  `${JSON.stringify({ timestamp: stamp++, level, message })}\n`;

/** A CloudWatch Logs that keeps what it is given, and fails as told. */
class Cloud {
  readonly streams = new Map<string, LogEvent[]>();
  readonly groups = new Set<string>();
  failures: (Partial<AwsError> & { code: string })[] = [];
  rejectOldest = 0;

  createLogGroup = async (group: string): Promise<void> => void this.groups.add(group);
  createLogStream = async (group: string, stream: string): Promise<void> => {
    if (!this.groups.has(group)) throw awsError("ResourceNotFoundException", 400);
    this.streams.set(`${group}|${stream}`, []);
  };
  putRetentionPolicy = async (): Promise<void> => undefined;
  putLogEvents = async (group: string, stream: string, events: readonly LogEvent[]) => {
    const failure = this.failures.shift();
    if (failure !== undefined) throw awsError(failure.code, failure.statusCode ?? 500);
    const kept = this.streams.get(`${group}|${stream}`);
    if (kept === undefined) throw awsError("ResourceNotFoundException", 400);
    const tooOldEndIndex = this.rejectOldest;
    this.rejectOldest = 0;
    kept.push(...events.slice(tooOldEndIndex));
    return tooOldEndIndex === 0 ? {} : { tooOldEndIndex };
  };
  messages(): string[] {
    return [...this.streams.values()]
      .flat()
      .map(({ message }) => (message.startsWith("{") ? JSON.parse(message).message : message));
  }
}

function awsError(code: string, statusCode: number): AwsError {
  return Object.assign(new Error(code), { name: "AwsError" as const, code, statusCode });
}

async function manager(cloud: Cloud, configuration: object = {}) {
  const ipc = new MemoryIpc({
    logsUploaderConfiguration: {
      componentLogsConfigurationMap: { [component]: { minimumLogLevel: "INFO", ...configuration } },
    },
    periodicUploadIntervalSec: 0.1,
  });
  const running = await start({
    clock: systemClock,
    random: new SeededRandom("logs"),
    ipc,
    files: workFiles(join(root, "work"), systemClock),
    cloudLogs: cloud,
    objects: s3Objects({ region: "eu-central-1" }),
    crypto: nodeCrypto,
    log: silentLog,
    process: {
      componentName: "coalmine.LogManager",
      componentVersion: "1.0.0",
      thingName: "site:7",
      region: "eu-central-1",
      environment: (name) => (name === "COALMINE_GREENGRASS_ROOT" ? root : undefined),
      memoryBytes: () => 0,
      fail: () => undefined,
    },
  });
  return { ipc, stop: () => running.stop(new AbortController().signal) };
}

const soon = { timeout: 5000, interval: 20 };

const memoryFolder = "/dev/shm";
const hasMemoryFolder = existsSync(memoryFolder) && statSync(memoryFolder).dev !== statSync(tmpdir()).dev;

test.runIf(hasMemoryFolder)(
  "hole H: the active file goes though logs and work folder are on two file systems, where no hard link can be made",
  async () => {
    const cloud = new Cloud();
    const folder = mkdtempSync(join(memoryFolder, "coalmine-logs-"));
    try {
      writeFileSync(join(folder, `${component}.log`), line("active"));
      const running = await manager(cloud, { logFileDirectoryPath: folder });
      await expect.poll(() => cloud.messages(), soon).toEqual(["active"]);
      appendFileSync(join(folder, `${component}.log`), line("still active"));
      await expect.poll(() => cloud.messages(), soon).toEqual(["active", "still active"]);
      await running.stop();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("puts the lines to AWS's own group and stream names, creating them where they are missing", async () => {
  const cloud = new Cloud();
  writeFileSync(active(), line("one") + line("two"));
  const running = await manager(cloud);
  await expect.poll(() => cloud.messages(), soon).toEqual(["one", "two"]);
  expect([...cloud.streams.keys()]).toEqual([
    `/aws/greengrass/UserComponent/eu-central-1/${component}|/2026/11/23/thing/site+7`,
  ]);
  await running.stop();
});

test("follows the active file through two rotations, and loses and doubles nothing", async () => {
  const cloud = new Cloud();
  writeFileSync(active(), line("a1"));
  const running = await manager(cloud);
  await expect.poll(() => cloud.messages(), soon).toEqual(["a1"]);
  appendFileSync(active(), line("a2"));
  renameSync(active(), rotated("09"));
  writeFileSync(active(), line("b1"));
  renameSync(active(), rotated("10"));
  writeFileSync(active(), line("c1"));
  await expect.poll(() => cloud.messages().toSorted(), soon).toEqual(["a1", "a2", "b1", "c1"]);
  await running.stop();
});

test("hole I: goes on after a restart where it stopped, bytes counted as bytes", async () => {
  const cloud = new Cloud();
  writeFileSync(active(), line("37 °C · 4 µl"));
  const first = await manager(cloud);
  await expect.poll(() => cloud.messages(), soon).toHaveLength(1);
  await first.stop();
  appendFileSync(active(), line("after"));
  const second = await manager(cloud);
  await expect.poll(() => cloud.messages(), soon).toEqual(["37 °C · 4 µl", "after"]);
  await second.stop();
});

test("holds a line back until its end has come", async () => {
  const cloud = new Cloud();
  const whole = line("split");
  writeFileSync(active(), line("before") + whole.slice(0, 20));
  const running = await manager(cloud);
  await expect.poll(() => cloud.messages(), soon).toEqual(["before"]);
  appendFileSync(active(), whole.slice(20));
  await expect.poll(() => cloud.messages(), soon).toEqual(["before", "split"]);
  await running.stop();
});

test("hole J: a stack trace goes as one event, its newlines kept", async () => {
  const cloud = new Cloud();
  writeFileSync(active(), "2026-11-23 09:00:00 ERROR it broke\n    at f (a.ts:1)\n    at g (b.ts:2)\n");
  const running = await manager(cloud);
  await expect
    .poll(() => cloud.messages(), soon)
    .toEqual(["2026-11-23 09:00:00 ERROR it broke\n    at f (a.ts:1)\n    at g (b.ts:2)"]);
  await running.stop();
});

test("tries again through throttling and outages, and counts what the service rejects", async () => {
  const cloud = new Cloud();
  cloud.failures = [{ code: "ThrottlingException", statusCode: 400 }, { code: "NetworkError" }];
  cloud.rejectOldest = 1;
  writeFileSync(active(), line("too old") + line("kept"));
  const running = await manager(cloud);
  await expect.poll(() => cloud.messages(), { timeout: 8000 }).toEqual(["kept"]);
  const health: unknown[] = [];
  await running.ipc.subscribe(`coalmine/health/coalmine.LogManager`, (_topic, message) =>
    health.push(message),
  );
  await running.stop();
  expect(health.at(-1)).toMatchObject({
    json: { counters: { lines: 2, uploadedEvents: 1, rejectedEvents: 1, uploadFailures: 2 } },
  });
});

test("notices a file that was cut down and written anew, and says what was lost", async () => {
  const cloud = new Cloud();
  writeFileSync(active(), line("x".repeat(500)));
  const running = await manager(cloud);
  await expect.poll(() => cloud.messages(), soon).toHaveLength(1);
  truncateSync(active(), 0);
  appendFileSync(active(), line("anew"));
  await expect.poll(() => cloud.messages().at(-1), soon).toBe("anew");
  await running.stop();
});

test("leaves out what is below the level, and removes rotated files once they are uploaded, when told to", async () => {
  const cloud = new Cloud();
  writeFileSync(rotated("08"), line("old"));
  writeFileSync(active(), line("chatter", "DEBUG") + line("matters", "WARN"));
  const running = await manager(cloud, { minimumLogLevel: "WARN", deleteLogFileAfterCloudUpload: "true" });
  await expect.poll(() => cloud.messages(), soon).toEqual(["matters"]);
  await expect.poll(() => readdirSync(join(root, "logs")), { timeout: 15_000 }).toEqual([`${component}.log`]);
  await running.stop();
});
