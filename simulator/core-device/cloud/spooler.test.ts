import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { drain } from "../testing/services.ts";
import { spoolDefaults, spoolSettings, type SpoolSettings } from "./spool-settings.ts";
import { Spooler } from "./spooler.ts";

const { bytesMax, messageBytesMax } = spoolDefaults;

function spoolerUnderTest(
  publish: (topic: string) => Promise<void> = async () => undefined,
  settings: Partial<SpoolSettings> = {},
) {
  const clock = new DrivenClock(0, drain);
  const sent: string[] = [];
  const send = async ({ topic }: { topic: string }): Promise<void> => {
    await publish(topic);
    sent.push(topic);
  };
  const spooler = new Spooler(clock, send, () => ({ ...spoolDefaults, ...settings }));
  return { clock, sent, spooler };
}
const bytes = (count: number) => new Uint8Array(count);

test("QoS 1 waits while offline, first in first out; QoS 0 does not outlive the connection [core-device-7.6]", async () => {
  const { clock, sent, spooler } = spoolerUnderTest();
  for (const topic of ["a", "b", "c"]) spooler.add(topic, bytes(1), 1);
  expect(() => spooler.add("d", bytes(1), 0)).toThrow("Device is offline. Dropping QoS 0 message.");
  spooler.online();
  await clock.settle();
  expect(sent).toEqual(["a", "b", "c"]);
});

test("a full spool refuses the newest message and keeps the others [core-device-7.7]", async () => {
  const { spooler } = spoolerUnderTest();
  const whole = Math.floor(bytesMax / messageBytesMax);
  for (let count = 0; count < whole; count++) spooler.add("a", bytes(messageBytesMax), 1);
  expect(() => spooler.add("a", bytes(messageBytesMax), 1)).toThrow("spool is full");
  expect(spooler.waiting).toBe(whole);
  expect(() => spooler.add("a", bytes(messageBytesMax + 1), 1)).toThrow("131072");
});

test("what the broker did not take is tried again, what it refuses is dropped [core-device-7.8]", async () => {
  let tries = 0;
  const { clock, sent, spooler } = spoolerUnderTest(async (topic) => {
    if (topic === "denied") throw new Error("NOT_AUTHORIZED");
    if (++tries < 4) throw new Error("the connection went down");
  });
  spooler.online();
  spooler.add("denied", bytes(1), 1);
  spooler.add("a", bytes(1), 1);
  await clock.runUntil(10_000);
  expect([sent, tries, spooler.waiting]).toEqual([["a"], 4, 0]);
});

test("a full spool drops the oldest of QoS 0 for a new message, and no more of them than it must [core-device-7.7]", async () => {
  const { clock, sent, spooler } = spoolerUnderTest(undefined, { bytesMax: 100, keepQos0WhenOffline: true });
  spooler.add("old 0", bytes(30), 0);
  spooler.add("one", bytes(30), 1);
  spooler.add("young 0", bytes(30), 0);
  spooler.add("new", bytes(40), 1);
  expect(() => spooler.add("last", bytes(61), 1)).toThrow("spool is full");
  expect(() => spooler.add("huge", bytes(101), 1)).toThrow("larger than the size");
  spooler.online();
  await clock.settle();
  expect(sent).toEqual(["one", "new"]);
});

test("QoS 0 waits too where it is to be kept while offline [core-device-7.15]", async () => {
  const { clock, sent, spooler } = spoolerUnderTest(undefined, { keepQos0WhenOffline: true });
  spooler.add("a", bytes(1), 0);
  spooler.offline();
  spooler.add("b", bytes(1), 0);
  spooler.online();
  await clock.settle();
  expect(sent).toEqual(["a", "b"]);
});

test("the nucleus's configuration says how much waits, how much is under way and how often it is tried [core-device-7.15]", () => {
  expect(spoolSettings({})).toEqual(spoolDefaults);
  expect(
    spoolSettings({
      maxInFlightPublishes: 500,
      maxPublishRetry: -1,
      maxMessageSizeInBytes: "2048",
      spooler: { maxSizeInBytes: 5000, storageType: "Disk", keepQos0WhenOffline: true },
    }),
  ).toEqual({
    bytesMax: 5000,
    messageBytesMax: 2048,
    inFlightMax: 100,
    retriesMax: Number.POSITIVE_INFINITY,
    keepQos0WhenOffline: true,
    storage: "Disk",
  });
  expect(
    spoolSettings({ maxInFlightPublishes: 0, spooler: { maxSizeInBytes: -1, storageType: "Tape" } }),
  ).toEqual(spoolDefaults);
});

test.each(["a/+", "#", "1/2/3/4/5/6/7/8/9", "x".repeat(257)])(
  "the topic %s is refused [core-device-7.9]",
  (topic) => {
    expect(() => spoolerUnderTest().spooler.add(topic, bytes(1), 1)).toThrow();
  },
);

test("messages that a lost connection gave back go again in their order [core-device-7.6]", async () => {
  let isBroken = true;
  const { clock, sent, spooler } = spoolerUnderTest(async () => {
    if (isBroken) throw new Error("the connection is gone");
  });
  spooler.online();
  for (const topic of ["a", "b", "c", "d", "e", "f", "g"]) spooler.add(topic, bytes(1), 1);
  await clock.settle();
  spooler.offline();
  isBroken = false;
  spooler.online();
  await clock.runUntil(10_000);
  expect(sent).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
});
