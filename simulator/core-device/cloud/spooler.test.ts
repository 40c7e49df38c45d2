import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { drain } from "../testing/services.ts";
import { MESSAGE_BYTES_MAX, Spooler, SPOOL_BYTES_MAX } from "./spooler.ts";

function spoolerUnderTest(publish: (topic: string) => Promise<void> = async () => undefined) {
  const clock = new DrivenClock(0, drain);
  const sent: string[] = [];
  const spooler = new Spooler(clock, async (topic) => {
    await publish(topic);
    sent.push(topic);
  });
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
  const whole = Math.floor(SPOOL_BYTES_MAX / MESSAGE_BYTES_MAX);
  for (let count = 0; count < whole; count++) spooler.add("a", bytes(MESSAGE_BYTES_MAX), 1);
  expect(() => spooler.add("a", bytes(MESSAGE_BYTES_MAX), 1)).toThrow("spool is full");
  expect(spooler.waiting).toBe(whole);
  expect(() => spooler.add("a", bytes(MESSAGE_BYTES_MAX + 1), 1)).toThrow("131072");
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
