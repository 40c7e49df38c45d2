import { ThingName } from "@coalmine/contract";
import type { LogLine } from "@coalmine/contract/operator-api";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeOperatorRegion, openOperatorRegion, type OperatorRegion } from "../../api/operator-region.ts";
import { operator, startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { answers } from "../answers/answers.ts";
import { targetOf } from "../doctor/account-targets.ts";
import { type Following, followLogs } from "./follow-logs.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const component = "coalmine.SensorReader";
const group = `/aws/greengrass/UserComponent/us-east-1/${component}`;
const thing = ThingName.parse("core-1");
let cloud: TestCloud;
let region: OperatorRegion;
const invoke = (operation: string, input: object) => cloud.cloud.invoke("logs", operation, input);
const begunMs = Date.now();
const clock = new DrivenClock(begunMs, () => new Promise(setImmediate));
let sent = 0;

beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  region = openOperatorRegion(
    { ...targetOf("us-east-1", "123456789012"), name: "home", endpoint: cloud.endpoint },
    "123456789012",
  );
  await invoke("CreateLogGroup", { logGroupName: group });
  for (const one of ["core-1", "core-10"])
    await invoke("CreateLogStream", { logGroupName: group, logStreamName: streamOf(one) });
});
afterAll(async () => {
  closeOperatorRegion(region);
  await cloud.close();
});

function streamOf(one: string): string {
  return `/${new Date(begunMs).toISOString().slice(0, 10).replaceAll("-", "/")}/thing/${one}`;
}

/** Lines in one upload, a millisecond apart; gives their messages. */
async function put(count: number, one = "core-1"): Promise<string[]> {
  const logEvents = Array.from({ length: count }, () => ({
    timestamp: begunMs - 60_000 + ++sent,
    message: `line ${sent} of ${one}`,
  }));
  await invoke("PutLogEvents", { logGroupName: group, logStreamName: streamOf(one), logEvents });
  // A line is told once it has settled.
  await clock.runUntil(clock.now() + 2000);
  return logEvents.map(({ message }) => message);
}

/** So many of the next reads find the service in trouble, or hear no answer; the client itself tries three times. */
function cut(operation: string, times: number): void {
  const scope = { service: "logs", operation, probability: 1, count: 1 } as const;
  for (let time = 0; time < times; time++)
    cloud.cloud.faults.inject(
      time % 2 === 0 ? { kind: "drop-reply", ...scope } : { kind: "error", status: 503, ...scope },
    );
}

/** Follows for as long as `round` says, which is called before each look. */
async function follow(
  wanted: Partial<Following>,
  round: (told: readonly LogLine[], stop: () => void) => Promise<void>,
): Promise<{ readonly told: readonly LogLine[]; readonly said: readonly string[] }> {
  const told: LogLine[] = [];
  const said: string[] = [];
  const stop = new AbortController();
  await followLogs({
    region,
    thing,
    component: undefined,
    sinceMs: begunMs - 3_600_000,
    lines: 10,
    everyMs: 1,
    now: async () => clock.now(),
    follow: true,
    asking: {
      clock: {
        sleep: () => round(told, () => stop.abort(new Error("seen enough"))),
        monotonicMs: () => performance.now(),
      },
      random: new SeededRandom("logs"),
      signal: stop.signal,
      say: (sentence) => void said.push(sentence),
    },
    line: (line) => void told.push(line),
    none: () => void said.push("none"),
    ...wanted,
  });
  return { told, said };
}

test("what is there comes once, oldest first, the newest of it where that is enough; then what comes, through lost links", async () => {
  const expected = (await put(30)).slice(-10);
  await put(5, "core-10");
  cut("GetLogEvents", 3);
  let rounds = 0;
  const { told, said } = await follow({}, async (soFar, stop) => {
    // Each round a few lines come; every third one the link is cut, and then some come while it is.
    if (++rounds > 12) return stop();
    if (soFar.length === expected.length || rounds % 2 === 0) expected.push(...(await put(3)));
    if (rounds % 3 === 0) cut("FilterLogEvents", 3);
  });
  expect(told.map(({ message }) => message)).toEqual(expected.slice(0, told.length));
  expect(told.length).toBeGreaterThanOrEqual(expected.length - 6);
  expect(told.length).toBeGreaterThan(20);
  expect(new Set(told.map(({ cursor }) => cursor)).size).toBe(told.length);
  expect(said.filter((sentence) => sentence.startsWith("the link is lost")).length).toBeGreaterThan(1);
  expect(said).toContain("the link is back, and nothing was missed");
  expect(said).not.toContain("none");
  for (const line of told)
    expect(answers["device-logs"].parse({ thing, ...line })).toMatchObject({ thing, component });
});

test("of more than fits one page the newest come, each once, and none from before the time that is asked for", async () => {
  await clock.runUntil(clock.now() + 60_000);
  const all: string[] = [];
  for (let uploads = 0; uploads < 5; uploads++) all.push(...(await put(500)));
  const stopped = async (_: readonly LogLine[], stop: () => void): Promise<void> => stop();
  // In an instant of its own, so that pages end within one.
  const atMs = begunMs - 30_000;
  const crowd = Array.from({ length: 900 }, (_, index) => ({ timestamp: atMs, message: `one of ${index}` }));
  await invoke("PutLogEvents", { logGroupName: group, logStreamName: streamOf("core-1"), logEvents: crowd });
  await clock.runUntil(clock.now() + 2000);
  const paged = (await follow({ lines: 2300 }, stopped)).told.map(({ message }) => message);
  expect(paged.slice(0, 1400)).toEqual(all.slice(-1400));
  expect(new Set(paged.slice(1400))).toEqual(new Set(crowd.map(({ message }) => message)));
  all.push(...paged.slice(1400));
  const { told } = await follow({ lines: 2300 }, stopped);
  expect(told.map(({ message }) => message)).toEqual(all.slice(-2300));
  const oldest = told.at(-1000)?.atMs ?? 0;
  expect((await follow({ lines: 2300, sinceMs: oldest }, stopped)).told).toHaveLength(1000);
  const nothing = await follow({ component: "other.One" }, stopped);
  expect([nothing.told, nothing.said]).toEqual([[], ["none"]]);
  expect((await follow({ lines: 0 }, stopped)).told).toEqual([]);
});
