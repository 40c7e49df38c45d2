import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { ServerTime } from "../server-time.ts";
import { type ClockStep, ClockWatch } from "./clock-watch.ts";

const NOON = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;

/** A device whose clock is `skewMs` off, and whose monotonic clock does not count the time that it slept. */
function device() {
  const driven = new DrivenClock(NOON, () => new Promise(setImmediate));
  const state = { skewMs: 0, sleptMs: 0 };
  const clock = {
    now: () => driven.now() + state.skewMs + state.sleptMs,
    monotonicMs: () => driven.monotonicMs(),
    sleep: (durationMs: number) => driven.sleep(durationMs),
    timer: (delayMs: number, fire: () => void) => driven.timer(delayMs, fire),
  };
  const serverTime = new ServerTime(clock, () => undefined);
  const steps: ClockStep[] = [];
  const watch = new ClockWatch(clock, serverTime, () => undefined);
  const unwatch = watch.watch((step) => steps.push(step));
  const run = (durationMs: number) => driven.runUntil(driven.now() + durationMs);
  return { state, clock, serverTime, steps, watch, unwatch, run };
}

test("a step is found within a minute, and at once by whoever looks", async () => {
  const { state, steps, watch, run } = device();
  await run(10 * 60_000);
  state.skewMs = 5 * HOUR;
  await run(60_000);
  expect(steps).toMatchObject([{ stepMs: 5 * HOUR, wasRight: false }]);
  state.skewMs = 0;
  watch.look();
  watch.look();
  expect(steps.slice(1)).toMatchObject([{ stepMs: -5 * HOUR }]);
  watch.close();
});

test("neither a minute nor a clock that is led to the right time is a step", async () => {
  const { state, steps, run } = device();
  state.skewMs = 60_000;
  await run(HOUR);
  // As fast as chrony leads a clock: a twelfth.
  for (let n = 0; n < 500; n++) {
    state.skewMs += 5000;
    await run(60_000);
  }
  expect(steps).toEqual([]);
});

test("a clock that the service called right needs no correction, be it set wrong then or the device asleep", async () => {
  const { state, clock, serverTime, steps, watch, run } = device();
  serverTime.note(clock.now());
  await run(HOUR);
  state.sleptMs = 8 * HOUR;
  watch.look();
  expect(steps).toMatchObject([{ stepMs: 8 * HOUR, wasRight: true }]);
  // What it told before is as much behind as the monotonic clock, and counts no more.
  expect(serverTime.refuses(clock.now() + 3 * HOUR)).toBeUndefined();
  serverTime.note(clock.now());
  state.skewMs = -HOUR;
  watch.look();
  serverTime.note(NOON + HOUR + 8 * HOUR);
  state.skewMs = 0;
  watch.look();
  expect(steps.slice(1).map(({ wasRight }) => wasRight)).toEqual([true, false]);
});

test("a step while nobody watches is told to the next who does", async () => {
  const { state, steps, watch, unwatch, run } = device();
  unwatch();
  state.skewMs = HOUR;
  await run(5 * 60_000);
  watch.watch((step) => steps.push(step));
  watch.look();
  expect(steps).toHaveLength(1);
});
