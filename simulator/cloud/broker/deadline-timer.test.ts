import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { DeadlineTimer } from "./deadline-timer.ts";

function rig() {
  const clock = new DrivenClock(0, () => new Promise(setImmediate));
  const fired: number[] = [];
  return { clock, fired, timer: new DeadlineTimer(clock, () => fired.push(clock.now())) };
}

test("fires once, at the soonest of what was asked for", async () => {
  const { clock, fired, timer } = rig();
  for (const delayMs of [9000, 4000, 6000]) timer.within(delayMs);
  await clock.runUntil(60_000);
  expect(fired).toEqual([4000]);
  timer.within(5000);
  await clock.runUntil(120_000);
  expect(fired).toEqual([4000, 65_000]);
});

test("does not fire again within a second, nor once it is cancelled", async () => {
  const { clock, fired, timer } = rig();
  timer.within(0);
  await clock.runUntil(10_000);
  expect(fired).toEqual([1000]);
  timer.within(2000);
  timer.cancel();
  await clock.runUntil(20_000);
  expect(fired).toEqual([1000]);
});
