import { expect, test } from "vitest";
import { DrivenClock } from "./driven-clock.ts";

const drain = () => new Promise<void>((done) => setImmediate(done));

test("timers fire in order of instant, equal instants in order of setting", async () => {
  const clock = new DrivenClock(1000, drain);
  const seen: string[] = [];
  clock.timer(20, () => seen.push(`b${clock.now()}`));
  clock.timer(10, () => seen.push(`a${clock.now()}`));
  clock.timer(20, () => seen.push(`c${clock.now()}`));
  await clock.runUntil(1100);
  expect(seen).toEqual(["a1010", "b1020", "c1020"]);
  expect(clock.now()).toBe(1100);
});

test("a cancelled timer does not fire, and an aborted sleep rejects with the reason", async () => {
  const clock = new DrivenClock(0, drain);
  let fired = false;
  clock.timer(5, () => (fired = true)).cancel();
  const stop = new AbortController();
  const slept = clock.sleep(100, stop.signal).then(
    () => "slept",
    (reason: unknown) => String(reason),
  );
  clock.timer(10, () => stop.abort(new Error("enough")));
  await clock.runUntil(1000);
  expect(fired).toBe(false);
  expect(await slept).toBe("Error: enough");
});

test("promises resolved by one event run before the next event", async () => {
  const clock = new DrivenClock(0, drain);
  const seen: string[] = [];
  clock.timer(1, () => {
    void (async () => {
      for (let hop = 0; hop < 50; hop++) await Promise.resolve();
      seen.push("hops");
    })();
  });
  clock.timer(2, () => seen.push("next"));
  await clock.runUntil(2);
  expect(seen).toEqual(["hops", "next"]);
});

test("time stands while real work is in flight", async () => {
  const clock = new DrivenClock(0, drain);
  const seen: string[] = [];
  clock.timer(1, () => {
    const done = clock.busy();
    setTimeout(() => {
      seen.push(`work at ${clock.now()}`);
      done();
    }, 30);
  });
  clock.timer(2, () => seen.push("next"));
  await clock.runUntil(2);
  expect(seen).toEqual(["work at 1", "next"]);
});
