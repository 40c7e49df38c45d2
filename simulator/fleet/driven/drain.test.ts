import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { drainPromises } from "./drain.ts";

test("what follows from an event through any number of promises happens before the next event", async () => {
  const clock = new DrivenClock(0, drainPromises());
  const order: string[] = [];
  for (let event = 0; event < 100; event++)
    clock.timer(event, () => {
      let chain = Promise.resolve();
      for (let link = 0; link < 50; link++) chain = chain.then(() => undefined);
      void chain.then(() => order.push(`followed ${event} at ${clock.now()}`));
    });
  await clock.runUntil(100);
  expect(order).toEqual(Array.from({ length: 100 }, (_, event) => `followed ${event} at ${event}`));
});

test("the process's event loop turns while a clock runs", async () => {
  const clock = new DrivenClock(0, drainPromises());
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns++;
    if (running) setImmediate(turn);
  };
  for (let event = 0; event < 1000; event++) clock.timer(event, () => undefined);
  setImmediate(turn);
  await clock.runUntil(1000);
  running = false;
  expect(turns).toBeGreaterThan(20);
});
