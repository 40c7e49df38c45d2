import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { DeviceTime, type Exchange } from "./device-time.ts";

/** A device with a wrong quartz behind a line whose delays differ each way. */
function device(ppm: number, delayMs: () => number) {
  const usAt = (hostMs: number) => (hostMs - 5000) * 1000 * (1 + ppm * 1e-6);
  const burst = (fromMs: number, count: number): Exchange[] => {
    let nowMs = fromMs;
    return Array.from({ length: count }, () => {
      const askedMs = nowMs;
      const there = askedMs + delayMs();
      const heardMs = there + 0.2 + delayMs();
      nowMs = heardMs;
      return { askedMs, receivedUs: usAt(there), answeredUs: usAt(there + 0.2), heardMs };
    });
  };
  return { usAt, burst };
}

test("under 1 to 20 ms of jitter and 100 ppm of drift, times are within 2 ms at p99 and within their stated error", () => {
  const random = new SeededRandom("time");
  const errors: number[] = [];
  let covered = 0;
  for (let round = 0; round < 200; round++) {
    const { usAt, burst } = device(200 * random.next() - 100, () => 1 + 19 * random.next());
    const time = new DeviceTime();
    for (let atMs = 10_000; atMs < 10_000 + 3_600_000; atMs += 600_000) {
      time.add(burst(atMs, 32));
      // From the second hour on the rate is known; readings come between the bursts.
      if (atMs < 1_200_000) continue;
      for (let index = 0; index < 20; index++) {
        const trueMs = atMs + 600_000 * random.next();
        const { ms, uncertaintyMs } = time.at(usAt(trueMs));
        errors.push(Math.abs(ms - trueMs));
        if (Math.abs(ms - trueMs) <= uncertaintyMs) covered++;
      }
    }
  }
  errors.sort((a, b) => a - b);
  const p99 = errors[Math.floor(0.99 * errors.length)] ?? Infinity;
  console.info(`time error p99 ${p99.toFixed(2)} ms, covered ${(100 * covered) / errors.length} %`);
  expect(p99).toBeLessThan(2);
  expect(covered / errors.length).toBeGreaterThan(0.95);
});

test("one exchange bounds the time by the round trip alone, and the bound widens with age until the rate is known", () => {
  const { usAt, burst } = device(80, () => 5);
  const time = new DeviceTime();
  expect(time.known).toBe(false);
  time.add(burst(10_000, 1));
  expect(time.at(usAt(10_000)).uncertaintyMs).toBeLessThan(6);
  const hourLater = time.at(usAt(3_610_000));
  expect(hourLater.uncertaintyMs).toBeGreaterThan(300);
  expect(Math.abs(hourLater.ms - 3_610_000)).toBeLessThan(hourLater.uncertaintyMs);
  time.add(burst(610_000, 1));
  expect(time.at(usAt(3_610_000)).uncertaintyMs).toBeLessThan(70);
});

test("times of one boot never go backwards", () => {
  const random = new SeededRandom("order");
  const { usAt, burst } = device(-60, () => 1 + 3 * random.next());
  const time = new DeviceTime();
  time.add(burst(10_000, 8));
  time.add(burst(610_000, 8));
  let before = -Infinity;
  for (let trueMs = 610_000; trueMs < 900_000; trueMs += 100) {
    const { ms } = time.at(usAt(trueMs));
    expect(ms).toBeGreaterThan(before);
    before = ms;
  }
});
