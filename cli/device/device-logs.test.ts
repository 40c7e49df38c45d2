import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { SeededRandom } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { answers } from "../answers/answers.ts";
import { DeviceLogs, type LogLine } from "./device-logs.ts";
import { followLogs } from "./logs-command.ts";

const component = "coalmine.SensorReader";
const group = `/aws/greengrass/UserComponent/us-east-1/${component}`;
let cloud: TestCloud;
let client: CloudWatchLogsClient;
const invoke = (operation: string, input: object) => cloud.cloud.invoke("logs", operation, input);
const now = Date.now();
let sent = 0;

beforeAll(async () => {
  cloud = await startTestCloud();
  client = new CloudWatchLogsClient(cloud.client);
  for (const logGroupName of [group, "/aws/greengrass/UserComponent/us-east-1/other.One"]) {
    await invoke("CreateLogGroup", { logGroupName });
    for (const thing of ["core-1", "core-10"])
      await invoke("CreateLogStream", { logGroupName, logStreamName: streamOf(thing, now) });
  }
});
afterAll(async () => {
  client.destroy();
  await cloud.close();
});

function streamOf(thing: string, atMs: number): string {
  return `/${new Date(atMs).toISOString().slice(0, 10).replaceAll("-", "/")}/thing/${thing}`;
}

/** Lines in one upload, a millisecond apart; gives their messages. */
async function put(count: number, thing = "core-1", atMs = now - 60_000): Promise<string[]> {
  const logEvents = Array.from({ length: count }, () => ({
    timestamp: atMs + ++sent,
    message: `line ${sent} of ${thing}`,
  }));
  await invoke("PutLogEvents", { logGroupName: group, logStreamName: streamOf(thing, now), logEvents });
  return logEvents.map(({ message }) => message);
}

test("what is there comes once, oldest first, the newest of it where that is enough; then what comes, through lost links", async () => {
  const before = await put(30);
  await put(5, "core-10");
  const logs = new DeviceLogs(client, { thing: "core-1" }, now - 3_600_000);
  const told: LogLine[] = [];
  const said: string[] = [];
  const stop = new AbortController();
  const expected = before.slice(-10);
  let rounds = 0;
  const sleep = async (): Promise<void> => {
    // Each round a few lines come; every other one the link is cut, and then some come while it is.
    if (++rounds > 12) return stop.abort(new Error("seen enough"));
    if (told.length === expected.length || rounds % 2 === 0) expected.push(...(await put(3)));
    if (rounds % 3 === 0) cut(2);
  };
  await followLogs(logs, {
    lines: 10,
    everyMs: 1,
    now: () => now,
    follow: true,
    asking: {
      clock: { sleep, monotonicMs: () => performance.now() },
      random: new SeededRandom("logs"),
      signal: stop.signal,
      say: (sentence) => void said.push(sentence),
    },
    line: (line) => void told.push(line),
    none: () => void said.push("none"),
  });
  expect(told.map(({ message }) => message)).toEqual(expected.slice(0, told.length));
  expect(told.length).toBeGreaterThanOrEqual(expected.length - 6);
  expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  expect(said.filter((sentence) => sentence.startsWith("the link is lost")).length).toBeGreaterThan(1);
  expect(said).toContain("the link is back, and nothing was missed");
  expect(said).not.toContain("none");
  for (const line of told)
    expect(answers["device-logs"].parse(line)).toMatchObject({ thing: "core-1", component });
});

test("a line that was written before a younger one and comes later is not lost", async () => {
  const logs = new DeviceLogs(client, { thing: "core-1", component: "SensorReader" }, now - 3_600_000);
  const all: string[] = [];
  const look = async (): Promise<string[]> => {
    const fresh: string[] = [];
    for await (const page of logs.look(now)) fresh.push(...page.map(({ message }) => message));
    all.push(...fresh);
    return fresh;
  };
  await look();
  const late = await put(2, "core-1", now - 120_000);
  expect(await look()).toEqual(late);
  expect(await look()).toEqual([]);
  expect(new Set(all).size).toBe(all.length);
  const other = new DeviceLogs(client, { thing: "core-1", component: "other.One" }, now - 3_600_000);
  for await (const page of other.look(now)) expect(page).toEqual([]);
});

/** So many of the next reads find the service in trouble, or hear no answer. */
function cut(times: number): void {
  const scope = { service: "logs", operation: "FilterLogEvents", probability: 1, count: 1 } as const;
  for (let time = 0; time < times; time++)
    cloud.cloud.faults.inject(
      time % 2 === 0 ? { kind: "drop-reply", ...scope } : { kind: "error", status: 503, ...scope },
    );
}
