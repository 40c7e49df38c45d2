import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { RequestRate } from "./request-rate.ts";

const never = new AbortController().signal;

function at(perSecond: number) {
  const clock = new DrivenClock(0, () => new Promise(setImmediate));
  const delays = { count: 0 };
  const rate = new RequestRate(
    clock,
    () => perSecond,
    () => void delays.count++,
  );
  const sent: { readonly atMs: number; readonly by: string }[] = [];
  /** Sends one request after the other. */
  const send = async (by: string, requests: number): Promise<void> => {
    for (let n = 0; n < requests; n++) {
      await rate.turn(never);
      sent.push({ atMs: clock.monotonicMs(), by });
    }
  };
  return { clock, rate, delays, sent, send };
}

test.each([0.5, 10, 100])(
  "at %d a second no second has more than its rate and its burst",
  async (perSecond) => {
    const { clock, sent, send } = at(perSecond);
    for (const by of ["a", "b", "c"]) void send(by, 30 * perSecond);
    await clock.runUntil(20_000);
    const burst = Math.max(1, perSecond);
    for (const { atMs: fromMs } of sent)
      for (const seconds of [1, 5]) {
        const within = sent.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + seconds * 1000);
        expect(within.length).toBeLessThanOrEqual(burst + seconds * perSecond);
      }
    expect(sent.length).toBeGreaterThanOrEqual(20 * perSecond);
  },
);

test("what an idle second left goes at once, and no more than that", async () => {
  const { clock, sent, send, delays } = at(10);
  await clock.runUntil(60_000);
  void send("a", 30);
  await clock.runUntil(60_050);
  expect(sent).toHaveLength(10);
  await clock.runUntil(61_050);
  expect(sent).toHaveLength(20);
  expect(delays.count).toBeGreaterThanOrEqual(10);
});

test("whoever sends much leaves each other its turn", async () => {
  const { clock, sent, send } = at(10);
  void send("much", 100);
  await clock.runUntil(3000);
  void send("little", 5);
  await clock.runUntil(4500);
  expect(sent.filter(({ by }) => by === "little")).toHaveLength(5);
});

test("a wait that is broken off throws the reason, and leaves its place to the others", async () => {
  const { clock, rate, sent, send } = at(1);
  const stop = new AbortController();
  void send("first", 1);
  const waiting = Array.from({ length: 50 }, () => rate.turn(stop.signal));
  stop.abort(new Error("stopping"));
  const ends = await Promise.allSettled(waiting);
  expect(ends.every((end) => end.status === "rejected" && String(end.reason).includes("stopping"))).toBe(
    true,
  );
  void send("after", 1);
  await clock.runUntil(1500);
  expect(sent.map(({ by }) => by)).toEqual(["first", "after"]);
});
