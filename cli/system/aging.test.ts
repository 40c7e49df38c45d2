import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { growOld } from "./aging.ts";

const MINUTE_MS = 60_000;
const clock = () => new DrivenClock(0, () => new Promise<void>((done) => setImmediate(done)));

function region(onRun: (time: number) => void = () => undefined) {
  const until: number[] = [];
  const control = async (_command: string, body: object): Promise<unknown> => {
    const { time } = body as { time: number };
    until.push(time);
    onRun(time);
    return {};
  };
  const where = { endpoint: "", controlUrl: "", controlToken: "", now: 0, devices: [] };
  return { until, driven: { control, where } };
}

test("a fleet installs, and then lives through a day and an hour, an hour at a time", async () => {
  const time = clock();
  const { until, driven } = region();
  const aging = growOld(driven, time);
  await time.runUntil(MINUTE_MS);
  await aging.done;
  expect(until[0]).toBe(15 * MINUTE_MS);
  expect(until.slice(1)).toEqual(Array.from({ length: 25 }, (_, hour) => (hour + 1) * 60 * MINUTE_MS));
});

test("one that is stopped ends with the hour under way", async () => {
  const time = clock();
  const { until, driven } = region((at) => {
    if (at === 2 * 60 * MINUTE_MS) void aging.stop();
  });
  const aging = growOld(driven, time);
  await time.runUntil(MINUTE_MS);
  await aging.done;
  expect(until).toHaveLength(3);
});

test("a region that fails is heard of by who waits", async () => {
  const { driven } = region(() => {
    throw new Error("gone");
  });
  const aging = growOld(driven, clock());
  await expect(aging.installed).rejects.toThrow("gone");
  await expect(aging.stop()).rejects.toThrow("gone");
});
