import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cloudWatchLogs } from "@coalmine/device/cloud-logs";
import { nodeCrypto } from "@coalmine/device/crypto";
import { s3Objects } from "@coalmine/device/objects";
import { workFiles } from "@coalmine/device/work-files";
import type { CloudLogs, JsonObject, LogEvent, Running } from "@coalmine/ports";
import { MemoryIpc, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { start } from "../../components/log-manager/src/component.ts";
import { atLeast, atMost, inTurn, median, type Metrics, ratio } from "../measure.ts";

const LINES = 200_000;
const FILES = 4;
const TAIL_LINES = 100;
const REGION = "us-east-1";
const STREAM_DATE = new Date().toISOString().slice(0, 10).replaceAll("-", "/");

const Client = z.object({
  endpoint: z.string(),
  region: z.string(),
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  maxAttempts: z.number(),
});
const Told = z.object({
  events: z.number(),
  latenciesMs: z.array(z.number()),
  puts: z.number(),
  rejected: z.number(),
});

/**
 * log-manager's own code on real files, through the SDK and HTTP to the local CloudWatch Logs in another process,
 * against the least that anybody could do: the same bytes cut at their newlines and put, without looking at them.
 */
export async function bench(say: (sentence: string) => void): Promise<Metrics> {
  const root = mkdtempSync(join(tmpdir(), "coalmine-bench-logs-"));
  const endpoint = fork(fileURLToPath(new URL("endpoint.ts", import.meta.url)), { stdio: "inherit" });
  try {
    const [told]: unknown[] = await once(endpoint, "message");
    const client = Client.parse(told);
    const cloudLogs = cloudWatchLogs(client);
    let rejected = 0;
    let round = 0;
    const requests: number[] = [];
    const measured = await inTurn({
      logManager: async () => {
        const { seconds, group, puts } = await uploaded(root, `Bench${++round}`, cloudLogs);
        const { events, ...answer } = await ask(endpoint, group, stream("bench"));
        if (events !== LINES) throw new Error(`${events} of ${LINES} lines arrived`);
        ({ rejected } = answer);
        requests.push(puts);
        say(`round ${round}: ${seconds.toFixed(2)} s`);
        return seconds;
      },
      plain: async () => plainlyCopied(root, `Plain${round}`, cloudLogs, endpoint),
    });
    say("live tail");
    const latenciesMs = await tailed(root, cloudLogs, endpoint);
    const seconds = median(measured.logManager);
    const at = (share: number): number =>
      latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? Number.NaN;
    return {
      seconds200kLines: atMost(seconds, "s", 10),
      linesPerSecond: atLeast(LINES / seconds, "lines/s", LINES / 10),
      plainLinesPerSecond: { value: LINES / median(measured.plain), unit: "lines/s" },
      ratioToPlain: { value: ratio(measured.plain, measured.logManager), unit: "x" },
      requests200kLines: { value: median(requests), unit: "requests" },
      requestsRejected: { value: rejected, unit: "requests" },
      tailLatencyP50: atMost(at(0.5), "ms", 2000),
      tailLatencyP99: atMost(at(0.99), "ms", 2000),
    };
  } finally {
    endpoint.disconnect();
    rmSync(root, { recursive: true, force: true });
  }
}

function line(n: number, timestamp = Date.now()): string {
  return `${JSON.stringify({ timestamp, level: "INFO", source: "bench", message: "viscosity 4.2 mPa·s at 37.0 °C", reading: n, instrument: "RH-0007" })}\n`;
}

/** A folder with the lines in a rotated series of files, as a nucleus leaves them. */
function logFolder(root: string, component: string): string {
  const folder = join(root, component, "logs");
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, component, "work"));
  for (let file = 0; file < FILES; file++) {
    const name = file === FILES - 1 ? `${component}.log` : `${component}_2026_11_27_09_${file}.log`;
    const per = LINES / FILES;
    writeFileSync(join(folder, name), Array.from({ length: per }, (_, n) => line(file * per + n)).join(""));
  }
  return folder;
}

async function manager(
  root: string,
  component: string,
  cloudLogs: CloudLogs,
  told: (counters: Readonly<Record<string, number>>) => void,
  configuration: JsonObject = {},
): Promise<Running> {
  const ipc = new MemoryIpc({
    logsUploaderConfiguration: { componentLogsConfigurationMap: { [component]: {} } },
    healthIntervalSeconds: 1,
    ...configuration,
  });
  ipc.deliver = (_topic, message) => {
    if ("json" in message)
      told(z.object({ counters: z.record(z.string(), z.number()) }).parse(message.json).counters);
    return true;
  };
  return start({
    clock: systemClock,
    random: new SeededRandom("bench"),
    ipc,
    files: workFiles(join(root, component, "work"), systemClock),
    cloudLogs,
    objects: s3Objects({ region: REGION }),
    crypto: nodeCrypto,
    log: silentLog,
    process: {
      componentName: "coalmine.LogManager",
      componentVersion: "1.0.0",
      thingName: "bench",
      region: REGION,
      environment: () => join(root, component),
      memoryBytes: () => 0,
      fail: () => undefined,
    },
  });
}

/** From the start of the component to the answer that brings the last line. */
async function uploaded(
  root: string,
  component: string,
  cloudLogs: CloudLogs,
): Promise<{ seconds: number; group: string; puts: number }> {
  logFolder(root, component);
  let acknowledged = 0;
  let puts = 0;
  let done = (): void => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  const counted: CloudLogs = {
    ...cloudLogs,
    putLogEvents: async (group, stream, events) => {
      puts++;
      const answer = await cloudLogs.putLogEvents(group, stream, events);
      acknowledged += events.length;
      if (acknowledged >= LINES) done();
      return answer;
    },
  };
  const startedMs = performance.now();
  const running = await manager(root, component, counted, () => undefined);
  await all;
  const seconds = (performance.now() - startedMs) / 1000;
  await running.stop(new AbortController().signal);
  rmSync(join(root, component), { recursive: true });
  return { seconds, puts, group: `/aws/greengrass/UserComponent/${REGION}/${component}` };
}

async function plainlyCopied(
  root: string,
  component: string,
  cloudLogs: CloudLogs,
  endpoint: ChildProcess,
): Promise<number> {
  const folder = logFolder(root, component);
  const group = `/plain/${component}`;
  // The connection of the round before may have been closed as idle in the meantime.
  await cloudLogs.createLogGroup(group).catch(() => cloudLogs.createLogGroup(group));
  await cloudLogs.createLogStream(group, "plain");
  const startedMs = performance.now();
  let events: LogEvent[] = [];
  let bytes = 0;
  const put = async (): Promise<void> => {
    const batch = events;
    events = [];
    bytes = 0;
    // Whoever copies plainly tries again at once.
    while (
      !(await cloudLogs.putLogEvents(group, "plain", batch).then(
        () => true,
        () => false,
      ))
    );
  };
  const timestampMs = Date.now();
  for (let file = 0; file < FILES; file++) {
    const name = file === FILES - 1 ? `${component}.log` : `${component}_2026_11_27_09_${file}.log`;
    let rest = "";
    for await (const chunk of createReadStream(join(folder, name), {
      encoding: "utf8",
      highWaterMark: 512 * 1024,
    })) {
      const lines = `${rest}${String(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      for (const message of lines) {
        const size = Buffer.byteLength(message) + 26;
        if (bytes + size > 1_048_576 || events.length >= 10_000) await put();
        events.push({ timestampMs, message });
        bytes += size;
      }
    }
  }
  await put();
  const seconds = (performance.now() - startedMs) / 1000;
  rmSync(join(root, component), { recursive: true });
  const told = await ask(endpoint, group, "plain");
  if (told.events !== LINES) throw new Error(`${told.events} of ${LINES} lines were copied`);
  return seconds;
}

/** A line now and then at an idle device, at the default configuration; how long each takes to be stored, sorted. */
async function tailed(
  root: string,
  cloudLogs: CloudLogs,
  endpoint: ChildProcess,
): Promise<readonly number[]> {
  const component = "Tail";
  const folder = join(root, component, "logs");
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, component, "work"));
  let lines = 0;
  const running = await manager(
    root,
    component,
    cloudLogs,
    (counters) => (lines = counters["uploadedLines"] ?? 0),
  );
  for (let n = 0; n < TAIL_LINES; n++) {
    // Every other line is no JSON: its end shows only by the silence behind it.
    const text = n % 2 === 0 ? line(n) : `${new Date().toISOString()} [INFO] (bench) line ${n}\n`;
    appendFileSync(join(folder, `${component}.log`), text);
    await systemClock.sleep(150 + (n % 7) * 40);
  }
  for (let waits = 0; lines < TAIL_LINES && waits < 100; waits++) await systemClock.sleep(100);
  await running.stop(new AbortController().signal);
  const told = await ask(endpoint, `/aws/greengrass/UserComponent/${REGION}/${component}`, stream("bench"));
  if (told.events !== TAIL_LINES)
    throw new Error(`${told.events} of ${TAIL_LINES} lines of the tail arrived`);
  return told.latenciesMs.toSorted((a, b) => a - b);
}

function stream(thing: string): string {
  return `/${STREAM_DATE}/thing/${thing}`;
}

async function ask(endpoint: ChildProcess, group: string, streamName: string): Promise<z.infer<typeof Told>> {
  endpoint.send({ group, stream: streamName });
  const [told]: unknown[] = await once(endpoint, "message");
  return Told.parse(told);
}
