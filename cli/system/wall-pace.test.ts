import { DrivenClock, silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { followTheWall } from "./wall-pace.ts";

const settle = () => new Promise<void>((done) => setImmediate(done));

test("a region lives a second for each of the wall's, until it is stopped", async () => {
  const clock = new DrivenClock(0, settle);
  const steps: number[] = [];
  const stop = new AbortController();
  const driven = {
    control: async (command: string, body: object) => {
      expect(command).toBe("advance");
      steps.push((body as { ms: number }).ms);
      return {};
    },
  };
  const following = followTheWall(driven, clock, silentLog, stop.signal);
  await clock.runUntil(10_500);
  expect(steps).toEqual(Array.from({ length: 10 }, () => 1000));
  stop.abort();
  await following;
  await clock.runUntil(20_000);
  expect(steps).toHaveLength(10);
});

test("a step that takes long, or fails, is made up for by the next", async () => {
  const clock = new DrivenClock(0, settle);
  const steps: number[] = [];
  const stop = new AbortController();
  const driven = {
    control: async (_command: string, body: object) => {
      steps.push((body as { ms: number }).ms);
      if (steps.length === 1) await clock.sleep(4000);
      if (steps.length === 2) throw new Error("busy");
      return {};
    },
  };
  const following = followTheWall(driven, clock, silentLog, stop.signal);
  await clock.runUntil(7500);
  expect(steps).toEqual([1000, 5000, 6000]);
  stop.abort();
  await following;
});
