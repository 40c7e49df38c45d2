import { expect, test } from "vitest";
import { DrivenClock } from "@coalmine/runtime";
import { Turn } from "./turn.ts";

const newClock = () => new DrivenClock(0, () => new Promise<void>((done) => setImmediate(done)));

test("a change waits until the clock stands, and the next drive until the change is done", async () => {
  const clock = newClock();
  const turn = new Turn(clock);
  const order: string[] = [];
  for (const at of [10, 20, 30]) clock.timer(at, () => order.push(`fired at ${at}`));
  const drive = turn.run(25);
  const change = turn.change(async () => void order.push(`changed at ${clock.now()}`));
  const second = turn.run(40);
  await Promise.all([drive, change, second]);
  expect(order).toEqual(["fired at 10", "fired at 20", "changed at 25", "fired at 30"]);
});

test("what follows from a change at the same instant has happened when it is answered", async () => {
  const clock = newClock();
  let followed = false;
  await new Turn(clock).change(async () => {
    void Promise.resolve().then(() => (followed = true));
  });
  expect(followed).toBe(true);
});

test("a change that fails is told to who asked, and the next one has its turn", async () => {
  const turn = new Turn(newClock());
  const failing = turn.change(() => Promise.reject(new Error("refused")));
  const next = turn.change(async () => "done");
  await expect(failing).rejects.toThrow("refused");
  expect(await next).toBe("done");
});

test("an instant that is past drives nothing", async () => {
  const clock = newClock();
  await clock.runUntil(100);
  expect(await new Turn(clock).run(50)).toBe(100);
});

test("more than a thousand waiting calls are refused", async () => {
  const turn = new Turn(newClock());
  const waiting = Array.from({ length: 1000 }, () => turn.change(async () => undefined));
  await expect(turn.change(async () => undefined)).rejects.toThrow("wait for this region's clock");
  await Promise.all(waiting);
  await turn.change(async () => undefined);
});

test("a step goes on from where the clock stands when its turn comes", async () => {
  const turn = new Turn(newClock());
  const drive = turn.run(1000);
  const step = turn.advance(5);
  expect(await drive).toBe(1000);
  expect(await step).toBe(1005);
});
