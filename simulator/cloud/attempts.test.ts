import { DrivenClock, silentLog } from "@coalmine/runtime";
import type { LogFields } from "@coalmine/ports";
import { expect, test } from "vitest";
import { Attempts } from "./attempts.ts";

function world() {
  const clock = new DrivenClock(0, () => new Promise((resolve) => void setImmediate(resolve)));
  const warned: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const log = {
    ...silentLog,
    warn: (message: string, fields?: LogFields) => void warned.push({ message, fields }),
  };
  const limits = { attemptsMax: 3, retryMs: 1000, underWayMax: 2 };
  return { clock, warned, attempts: new Attempts({ clock, log, lost: "a parcel was lost", ...limits }) };
}

test("what fails is tried again after a while, three times at most, and then warned of with its cause", async () => {
  const { clock, warned, attempts } = world();
  const triedAt: number[] = [];
  attempts.begin({ parcel: 1 }, () => {
    triedAt.push(clock.now());
    return Promise.reject(new Error("nobody is there"));
  });
  await clock.runUntil(10_000);
  expect(triedAt).toEqual([0, 1000, 2000]);
  expect(warned).toEqual([{ message: "a parcel was lost", fields: { parcel: 1, cause: "nobody is there" } }]);
});

test("beyond the bound nothing is begun, and what has ended makes room", async () => {
  const { clock, warned, attempts } = world();
  const ends: (() => void)[] = [];
  const parcel = (number: number) =>
    attempts.begin({ parcel: number }, () => new Promise<void>((resolve) => ends.push(resolve)));
  for (const number of [1, 2, 3]) parcel(number);
  expect(ends).toHaveLength(2);
  expect(warned).toEqual([
    { message: "a parcel was lost since too many are under way", fields: { parcel: 3 } },
  ]);
  ends[0]?.();
  await clock.runUntil(1);
  parcel(4);
  expect(ends).toHaveLength(3);
});

test("stopped, nothing is tried again", async () => {
  const { clock, warned, attempts } = world();
  let tries = 0;
  attempts.begin({}, () => {
    tries++;
    return Promise.reject(new Error("nobody is there"));
  });
  await clock.runUntil(1);
  attempts.stop();
  await clock.runUntil(10_000);
  // The one that the stop cut short ends with a last try, as a warning has to say.
  expect(tries).toBe(2);
  expect(warned).toHaveLength(1);
});
