import { expect, test } from "vitest";
import { DrivenClock } from "./driven-clock.ts";
import { Waiting } from "./waiting.ts";

const clockAtZero = () => new DrivenClock(0, () => new Promise((done) => setImmediate(done)));

test("a wait ends when a look finds enough, when it is woken, or when its time is over, and leaves no timer", async () => {
  const clock = clockAtZero();
  const waiting = new Waiting(clock);
  const ends: string[] = [];
  let count = 0;
  const begin = (name: string) =>
    void waiting.until(() => count >= 2, 1000).then(() => ends.push(`${name} at ${clock.now()}`));

  begin("looked");
  await clock.runUntil(100);
  count = 1;
  waiting.look();
  await clock.runUntil(200);
  expect(ends).toEqual([]);
  count = 2;
  waiting.look();
  await clock.settle();
  begin("at once");
  await clock.settle();
  count = 0;
  begin("woken");
  await clock.runUntil(300);
  waiting.wake();
  await clock.settle();
  begin("over");
  await clock.runUntil(1299);
  expect(ends).toHaveLength(3);
  await clock.runUntil(1300);
  expect(ends).toEqual(["looked at 200", "at once at 200", "woken at 300", "over at 1300"]);
  expect(clock.next()).toBeUndefined();
});

test("a wait of nothing still lets the clock go on", async () => {
  const clock = clockAtZero();
  let over = false;
  void new Waiting(clock).atMost(0).then(() => (over = true));
  await clock.runUntil(1);
  expect(over).toBe(true);
});
