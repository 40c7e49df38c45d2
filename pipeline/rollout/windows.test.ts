import fc from "fast-check";
import { expect, test } from "vitest";
import { isOpen, MaintenanceWindow, opensAt, type Windows } from "./windows.ts";

const QUARTER_MS = 900_000;
const at = (text: string) => Date.parse(text);
const windows = (zones: string[], ...list: object[]): Windows => ({
  windows: list.map((one) => MaintenanceWindow.parse(one)),
  zones,
});
const iso = (timeMs: number) => new Date(timeMs).toISOString();

test("a window is hours of its zone, in summer and in winter [rollout-9.2]", () => {
  const berlin = windows(["UTC"], { from: "22:00", to: "24:00", zone: "Europe/Berlin" });
  expect(isOpen(berlin, at("2026-07-01T20:00:00Z"))).toBe(true);
  expect(isOpen(berlin, at("2026-07-01T19:59:59Z"))).toBe(false);
  expect(isOpen(berlin, at("2026-07-01T22:00:00Z"))).toBe(false);
  expect(isOpen(berlin, at("2026-01-01T20:30:00Z"))).toBe(false);
  expect(iso(opensAt(berlin, at("2026-01-01T00:00:00Z")))).toBe("2026-01-01T21:00:00.000Z");
  expect(opensAt(berlin, at("2026-01-01T21:07:13Z"))).toBe(at("2026-01-01T21:07:13Z"));
  const kathmandu = windows(["UTC"], { from: "06:00", to: "06:15", zone: "Asia/Kathmandu" });
  expect(iso(opensAt(kathmandu, at("2026-03-01T00:01:00Z")))).toBe("2026-03-01T00:15:00.000Z");
});

test("a window that passes midnight belongs to the day it begins on [rollout-9.2]", () => {
  const weekend = windows(["UTC"], { days: ["sat"], from: "22:00", to: "04:00", zone: "UTC" });
  // A Saturday, and the Sunday after it.
  expect(isOpen(weekend, at("2026-08-01T22:00:00Z"))).toBe(true);
  expect(isOpen(weekend, at("2026-08-02T03:59:00Z"))).toBe(true);
  expect(isOpen(weekend, at("2026-08-02T04:00:00Z"))).toBe(false);
  expect(isOpen(weekend, at("2026-08-01T03:00:00Z"))).toBe(false);
  expect(isOpen(weekend, at("2026-08-02T22:00:00Z"))).toBe(false);
  const monday = windows(["UTC"], { days: ["sun"], from: "23:45", to: "00:15", zone: "UTC" });
  expect(isOpen(monday, at("2026-08-03T00:10:00Z"))).toBe(true);
});

test("it is open when one window is, for each of the devices' zones [rollout-9.2]", () => {
  const night = { from: "20:00", to: "04:00", zone: "device" };
  const both = windows(["Europe/Berlin", "America/New_York"], night);
  // 20:00 in New York is 02:00 in Berlin.
  expect(iso(opensAt(both, at("2026-07-01T12:00:00Z")))).toBe("2026-07-02T00:00:00.000Z");
  expect(isOpen(both, at("2026-07-02T01:59:00Z"))).toBe(true);
  expect(isOpen(both, at("2026-07-02T02:00:00Z"))).toBe(false);
  expect(opensAt(windows(["Europe/Berlin", "Pacific/Auckland"], night), at("2026-07-01T12:00:00Z"))).toBe(
    Infinity,
  );
  const more = windows(["Europe/Berlin", "Pacific/Auckland"], night, {
    from: "10:00",
    to: "11:00",
    zone: "UTC",
  });
  expect(iso(opensAt(more, at("2026-07-01T12:00:00Z")))).toBe("2026-07-02T10:00:00.000Z");
  expect(isOpen(undefined, 0)).toBe(true);
  expect(opensAt(undefined, 5)).toBe(5);
});

test("a window in the hour that is left out in spring opens with what is left of it", () => {
  const gap = windows(["UTC"], { days: ["sun"], from: "02:30", to: "04:00", zone: "Europe/Berlin" });
  // On 29 March 2026 clocks go from 02:00 to 03:00, at 01:00 UTC.
  expect(iso(opensAt(gap, at("2026-03-28T12:00:00Z")))).toBe("2026-03-29T01:00:00.000Z");
});

test("it opens no sooner and no later than at the first open quarter [rollout-9.2]", () => {
  const quarter = fc
    .integer({ min: 0, max: 95 })
    .map((n) => `${String(Math.floor(n / 4)).padStart(2, "0")}:${String((n % 4) * 15).padStart(2, "0")}`);
  const days = fc.uniqueArray(fc.constantFrom("mon", "tue", "wed", "thu", "fri", "sat", "sun"), {
    minLength: 1,
  });
  const zone = fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "device",
  );
  const one = fc
    .record({ days, from: quarter, to: quarter, zone })
    .filter(({ from, to }) => from !== to)
    .map((parts) => MaintenanceWindow.parse(parts));
  const start = at("2026-03-20T00:00:00Z");
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), fc.nat(40 * 96), (list, offset) => {
      const some = { windows: list, zones: ["America/New_York", "Europe/Lisbon"] };
      const from = start + offset * QUARTER_MS;
      const opens = opensAt(some, from);
      for (let time = from; time < Math.min(opens, from + 8 * 86_400_000); time += QUARTER_MS)
        expect(isOpen(some, time)).toBe(false);
      if (opens !== Infinity) expect(isOpen(some, opens)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test.each<[string, object, RegExp]>([
  [
    "a zone that is none",
    { from: "01:00", to: "02:00", zone: "Europe/Berln" },
    /Europe\/Berln\\" is no time zone such as/,
  ],
  ["minutes that are no quarter", { from: "01:10", to: "02:00", zone: "UTC" }, /quarter/],
  ["a window without length", { from: "01:00", to: "01:00", zone: "UTC" }, /never open/],
  ["a day that is none", { days: ["someday"], from: "01:00", to: "02:00", zone: "UTC" }, /expected one of/],
])("refuses %s", (_, parts, sentence) => {
  expect(() => MaintenanceWindow.parse(parts)).toThrow(sentence);
});
