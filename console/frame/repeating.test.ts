import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { repeating } from "./repeating.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is at the server: each answer says how it is then, a second after it was asked. */
function page(isLive: () => boolean) {
  const server = { state: 0, questions: 0 };
  const shown: number[] = [];
  const asking = repeating({
    async ask() {
      server.questions++;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return server.state;
    },
    answered: (state) => void shown.push(state),
    isLive,
    restMs: 500,
  });
  return { server, shown, asking };
}

test("where no stream comes through, a page asks every ten seconds by itself, and shows what has changed", async () => {
  const { server, shown, asking } = page(() => false);
  for (let state = 0; state < 6; state++) {
    server.state = state;
    await vi.advanceTimersByTimeAsync(11_000);
  }
  expect(shown).toEqual([0, 1, 2, 3, 4, 5]);
  asking.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.questions).toBe(7);
  expect(shown.length).toBe(6);
});

test("once the stream is back it asks when something was heard, once for many events, and else twice a minute", async () => {
  let isLive = false;
  const { server, shown, asking } = page(() => isLive);
  await vi.advanceTimersByTimeAsync(0);
  isLive = true;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(server.questions).toBe(1);
  for (let event = 0; event < 300; event++) asking.heard();
  server.state = 1;
  await vi.advanceTimersByTimeAsync(1600);
  expect([server.questions, shown]).toEqual([2, [0, 1]]);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(server.questions).toBe(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.questions).toBe(3);
  asking.stop();
});

test("what happens while an answer is on its way is asked for once more, after a rest", async () => {
  const { server, shown, asking } = page(() => true);
  await vi.advanceTimersByTimeAsync(100);
  asking.heard();
  await vi.advanceTimersByTimeAsync(950);
  server.state = 1;
  expect(shown).toEqual([0]);
  await vi.advanceTimersByTimeAsync(1600);
  expect([server.questions, shown]).toEqual([2, [0, 1]]);
  asking.again();
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.questions).toBe(3);
  asking.stop();
});
