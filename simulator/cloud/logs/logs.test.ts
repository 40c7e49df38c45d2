import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  type CreateLogGroupCommandInput,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { cloudWatchLogs } from "@coalmine/device/cloud-logs";
import { DrivenClock } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import { matchesFilter } from "./filter-pattern.ts";

const hour = 3600_000;
const start = Date.parse("2030-06-01T00:00:00Z");
const clock = new DrivenClock(start, () => new Promise(setImmediate));
let cloud: TestCloud;
let logs: CloudWatchLogsClient;
beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  logs = new CloudWatchLogsClient(cloud.client);
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/coalmine/app" }));
});
afterAll(async () => {
  logs.destroy();
  await cloud.close();
});
const stream = (name: string) =>
  logs.send(new CreateLogStreamCommand({ logGroupName: "/coalmine/app", logStreamName: name }));
const put = (name: string, logEvents: { timestamp: number; message: string }[]) =>
  logs.send(new PutLogEventsCommand({ logGroupName: "/coalmine/app", logStreamName: name, logEvents }));
const at = (timestamp: number, message = "m") => ({ timestamp, message });

test("what exists or is missing is refused by name", async () => {
  await expect(logs.send(new CreateLogGroupCommand({ logGroupName: "/coalmine/app" }))).rejects.toMatchObject(
    { name: "ResourceAlreadyExistsException" },
  );
  await expect(put("none", [at(start)])).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(stream("a:b")).rejects.toMatchObject({ name: "InvalidParameterException" });
});

test.each([
  ["logGroupClass", { logGroupClass: "CHEAP" }],
  ["kmsKeyId", { kmsKeyId: `arn:aws:kms:eu-central-1:123456789012:key/${"a".repeat(256)}` }],
  ["KMS key", { kmsKeyId: "alias/logs" }],
  ["tags", { tags: {} }],
  ["tags", { tags: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, "v"])) }],
  ["tags", { tags: { "aws:mine": "v" } }],
  ["tags", { tags: { site: "a?b" } }],
  ["logGroupName", { logGroupName: "a group" }],
])("a log group is refused by the rule of its %s: %j", async (field, more) => {
  const asked = { logGroupName: "/refused", ...more } as CreateLogGroupCommandInput;
  await expect(logs.send(new CreateLogGroupCommand(asked))).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: expect.stringContaining(field),
  });
});

test("a log group keeps its class and key", async () => {
  const settings = {
    logGroupName: "/settings",
    logGroupClass: "INFREQUENT_ACCESS",
    kmsKeyId: "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  } as const;
  await logs.send(new CreateLogGroupCommand({ ...settings, tags: { site: "Köln 7" } }));
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "/settings" }));
  expect(logGroups).toMatchObject([settings]);
});

test("the device's own client puts compressed batches, and a body that is no gzip is refused", async () => {
  await stream("compressed");
  const { region, endpoint, credentials } = cloud.client;
  const device = cloudWatchLogs({ region, endpoint, credentials });
  const events = Array.from({ length: 300 }, (_, n) => ({ timestampMs: start, message: `µ ${n}` }));
  await device.putLogEvents("/coalmine/app", "compressed", events);
  const { events: stored } = await logs.send(
    new GetLogEventsCommand({
      logGroupName: "/coalmine/app",
      logStreamName: "compressed",
      startFromHead: true,
    }),
  );
  expect(stored?.map(({ message }) => message)).toEqual(events.map(({ message }) => message));
  const command = new CreateLogStreamCommand({ logGroupName: "/coalmine/app", logStreamName: "none" });
  command.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, { "content-encoding": "gzip" });
      return next(args);
    },
    { step: "build", priority: "high" },
  );
  await expect(logs.send(command)).rejects.toMatchObject({ name: "SerializationException" });
});

test.each([
  ["out of order", [at(start), at(start - 1)], "chronological order"],
  ["over 24 hours", [at(start - 25 * hour), at(start)], "24 hours"],
  ["over 10,000 events", Array.from({ length: 10_001 }, () => at(start)), "10000"],
  ["over 1 MiB with 26 bytes an event", [at(start, "x".repeat(1_048_576 - 25))], "too large"],
  ["empty", [], "logEvents"],
  ["an empty message", [at(start, "")], "greater than or equal to 1"],
])("a batch %s is refused", async (name, events, text) => {
  await stream(`bad ${name.replaceAll(":", "")}`);
  await expect(put(`bad ${name}`, events)).rejects.toThrow(text);
});

test("a batch exactly at the limit is taken", async () => {
  await stream("limit");
  const one = "x".repeat(1_048_576 / 2 - 26);
  await expect(put("limit", [at(start, one), at(start, one)])).resolves.toBeDefined();
});

test("too old and too new events are passed over, and the answer says which", async () => {
  await stream("ends");
  const answer = await put("ends", [at(start + hour), at(start + 3 * hour)]);
  expect(answer.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
  const old = await put("ends", [at(start - 14 * 24 * hour - 1000), at(start - 14 * 24 * hour + 1000)]);
  expect(old.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1 });
  await logs.send(new PutRetentionPolicyCommand({ logGroupName: "/coalmine/app", retentionInDays: 3 }));
  const expired = await put("ends", [at(start - 73 * hour), at(start - 71 * hour)]);
  expect(expired.rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
  const { events } = await logs.send(
    new GetLogEventsCommand({ logGroupName: "/coalmine/app", logStreamName: "ends", startFromHead: true }),
  );
  expect(events?.map((event) => event.timestamp)).toEqual([start - 71 * hour, start + hour]);
});

test("events are read in pages forwards and backwards, and the end gives its token back", async () => {
  await stream("pages");
  await put(
    "pages",
    Array.from({ length: 25 }, (_, n) => at(start + n, `line ${n}`)),
  );
  const read = (more: object) =>
    logs.send(
      new GetLogEventsCommand({ logGroupName: "/coalmine/app", logStreamName: "pages", limit: 10, ...more }),
    );
  const messages: (string | undefined)[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await read({ startFromHead: true, nextToken: token });
    messages.push(...(page.events ?? []).map((event) => event.message));
    if (page.nextForwardToken === token) break;
    token = page.nextForwardToken;
  }
  expect(messages).toEqual(Array.from({ length: 25 }, (_, n) => `line ${n}`));
  const last = await read({});
  expect(last.events?.[0]?.message).toBe("line 15");
  const before = await read({ nextToken: last.nextBackwardToken });
  expect(before.events?.map((event) => event.message)).toEqual(
    Array.from({ length: 10 }, (_, n) => `line ${n + 5}`),
  );
});

test("events are found across streams, and streams tell their times", async () => {
  await stream("find-1");
  await stream("find-2");
  await put("find-1", [at(start + 1, "ERROR flow stopped")]);
  await put("find-2", [at(start, "INFO flow"), at(start + 2, "ERROR other")]);
  const found = await logs.send(
    new FilterLogEventsCommand({
      logGroupName: "/coalmine/app",
      logStreamNamePrefix: "find-",
      filterPattern: "ERROR",
    }),
  );
  expect(found.events?.map((event) => event.message)).toEqual(["ERROR flow stopped", "ERROR other"]);
  const { logStreams } = await logs.send(
    new DescribeLogStreamsCommand({ logGroupName: "/coalmine/app", logStreamNamePrefix: "find-2" }),
  );
  expect(logStreams).toMatchObject([{ firstEventTimestamp: start, lastEventTimestamp: start + 2 }]);
});

test("filter patterns: all words, phrases, none, one of", () => {
  expect(matchesFilter("a b c", "a c")).toBe(true);
  expect(matchesFilter("a b c", '"b c"')).toBe(true);
  expect(matchesFilter("a b c", "a -b")).toBe(false);
  expect(matchesFilter("a b c", "?x ?c")).toBe(true);
  expect(matchesFilter("a b c", "?x ?y")).toBe(false);
});
