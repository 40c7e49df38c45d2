import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Bandwidth } from "./bandwidth.ts";

const NOON = Date.UTC(2026, 2, 1, 12);
const settings = (more = {}) => ({ bytesPerSecond: 1000, alarmShare: 0.2, schedule: [], ...more });

function at(startMs: number, more = {}) {
  const clock = new DrivenClock(startMs, async () => {});
  const bandwidth = new Bandwidth(clock, () => settings(more));
  /** Sends requests of `bytes` for `durationMs`; gives the bytes sent. */
  const send = async (urgency: "alarms" | "readings", bytes: number, durationMs: number): Promise<number> => {
    const endMs = clock.now() + durationMs;
    let sent = 0;
    while (clock.now() < endMs) {
      const waitMs = bandwidth.waitMs(urgency);
      if (waitMs > 0) await clock.runUntil(clock.now() + waitMs);
      else {
        bandwidth.spend(urgency, bytes);
        sent += bytes;
      }
    }
    return sent;
  };
  return { clock, bandwidth, send };
}

test.each([10, 700, 50_000])("requests of %i bytes have the cap as their mean", async (bytes) => {
  const { send } = at(NOON);
  const sent = await send("readings", bytes, 1_000_000);
  expect(sent).toBeGreaterThan(990_000);
  expect(sent).toBeLessThanOrEqual(1_000_000 + 50_000 + 1000);
});

test("a backlog in debt does not delay an alarm, and alarms in debt leave the rest its share", async () => {
  const { bandwidth, clock, send } = at(NOON);
  bandwidth.spend("readings", 10_000_000);
  expect(bandwidth.waitMs("readings")).toBeGreaterThan(10_000);
  expect(bandwidth.waitMs("alarms")).toBe(0);
  bandwidth.spend("alarms", 100_000_000);
  await clock.runUntil(clock.now() + 10_000_000 / 0.8);
  expect(await send("readings", 500, 100_000)).toBeGreaterThan(75_000);
});

test("the schedule's first time that fits has the cap, over midnight too, and 0 lets only alarms through", () => {
  const schedule = [
    { fromUtc: "22:00", toUtc: "06:00", bytesPerSecond: 5000 },
    { fromUtc: "08:00", toUtc: "12:00", bytesPerSecond: 0 },
  ];
  const capAt = (hour: number): number | undefined =>
    at(Date.UTC(2026, 2, 1, hour), { schedule }).bandwidth.bytesPerSecond;
  expect([23, 0, 5, 6, 9, 12].map(capAt)).toEqual([5000, 5000, 5000, 1000, 0, 1000]);
  const { bandwidth } = at(Date.UTC(2026, 2, 1, 9), { schedule });
  expect(bandwidth.waitMs("alarms")).toBe(0);
  expect(bandwidth.waitMs("readings")).toBeGreaterThan(0);
});

test("without a cap nothing waits, and nothing is owed when one comes", () => {
  let bytesPerSecond: number | undefined;
  const bandwidth = new Bandwidth(new DrivenClock(NOON, async () => {}), () => ({
    ...settings(),
    bytesPerSecond,
  }));
  bandwidth.spend("readings", 1e9);
  expect(bandwidth.waitMs("readings")).toBe(0);
  bytesPerSecond = 1000;
  expect(bandwidth.waitMs("readings")).toBe(0);
});
