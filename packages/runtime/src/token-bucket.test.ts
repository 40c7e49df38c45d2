import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

function at(perSecond: number, burst: number) {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  return { clock, bucket: new TokenBucket(clock, () => ({ perSecond, burst })) };
}

test("an act larger than the bucket is owed until as much has come", () => {
  const { clock, bucket } = at(10, 5);
  bucket.spend(100);
  clock.nowMs = 9900;
  bucket.fill();
  expect(bucket.owed).toBeCloseTo(1);
  clock.nowMs = 10_000;
  bucket.fill();
  expect(bucket.owed).toBe(0);
});

test("nothing beyond the burst is kept: it runs over", () => {
  const { clock, bucket } = at(10, 5);
  clock.nowMs = 60_000;
  expect(bucket.fill(7)).toBe(602);
  bucket.spend(5);
  expect(bucket.owed).toBe(0);
  bucket.spend(1);
  expect(bucket.owed).toBe(1);
});

test("an emptied bucket owes nothing and holds nothing", () => {
  const { clock, bucket } = at(10, 5);
  clock.nowMs = 60_000;
  bucket.empty();
  bucket.spend(1);
  bucket.fill();
  expect(bucket.owed).toBe(1);
});
