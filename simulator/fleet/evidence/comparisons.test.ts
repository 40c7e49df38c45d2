import { componentNames, topics } from "@coalmine/contract";
import { expect, test } from "vitest";
import type { RegionEvent } from "../driven/region.ts";
import { weightChecks } from "../weighing/weighing.ts";
import { heartbeatCheck } from "./checks.ts";
import { lifecycleChecks } from "./lifecycle.ts";
import { LogLines } from "./log-lines.ts";
import { configurationCheck, type FleetUse, useChecks } from "./use.ts";
import { LakeValues } from "./values.ts";

const HOUR_MS = 3_600_000;
const span = (hour: number) => ({ fromMs: hour * HOUR_MS, untilMs: (hour + 1) * HOUR_MS });
const row = (hour: number, change: object = {}) => ({
  thing: "a",
  instrument: "i",
  boot: 1,
  sequence: 1,
  channel: "temperature",
  model_sha256: null,
  sample_time_ms: hour * HOUR_MS,
  value: 37,
  unit: "Cel",
  quality: "good",
  ...change,
});
const key = "measurements/dt=1970-01-01/thing=a/e-1-2-v1.parquet";

test.each([
  ["the same", {}, key, undefined],
  ["another value", { value: 310.15 }, key, /median of a\/temperature is 310.1, and was 37.00/],
  ["another unit", { unit: "K" }, key, /in K, and was in Cel/],
  ["a quality that fell", { quality: "uncertain" }, key, /0 % are good, and 100 % were/],
  ["a key that nobody looks at", {}, key.replace("thing", "device"), /1 do not, as measurements.*device=a/],
])("what the candidate puts into the lake is compared with what was there: %s", (_, change, at, found) => {
  const values = new LakeValues(span(0), span(1));
  for (let count = 0; count < 3; count++) {
    values.look(row(0), key);
    values.look(row(1, change), at);
  }
  const wrong = values.checks().filter(({ ok }) => !ok);
  expect(wrong.map((one) => one.found)).toEqual(found === undefined ? [] : [expect.stringMatching(found)]);
});

const event = (at: number, from: string, state: string, name = "c"): RegionEvent =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what is read of it.
  ({
    at,
    thingName: "a",
    kind: "device",
    event: { kind: "component", from, component: { name, version: "1", state } },
  }) as RegionEvent;

test("a component that ends by itself is found, and one that was killed is not", () => {
  const events = [event(10, "RUNNING", "ERRORED")];
  const ok = (atMs: number) => lifecycleChecks(events, [{ thingName: "a", component: "c", atMs }])[0]?.ok;
  expect([ok(5), ok(-6000), ok(20)]).toEqual([true, false, false]);
});

test("a component that is killed because it does not stop is found, and one that lost its power is not", () => {
  const ok = (from: string, at: number) =>
    lifecycleChecks([event(0, "RUNNING", "STOPPING"), event(at, from, "FINISHED")], [])[1]?.ok;
  expect([ok("STOPPING", 200), ok("STOPPING", 5000), ok("NEW", 60_000)]).toEqual([true, false, true]);
});

const use = (hour: number, lines: number, diskBytes = 0, openFiles = 3, health = 0): FleetUse => ({
  atMs: hour * HOUR_MS,
  devices: 2,
  components: new Map([
    [
      componentNames.sensorReader,
      {
        lines,
        diskBytes,
        openFiles,
        published: new Map([[topics.health(componentNames.sensorReader), health]]),
      },
    ],
  ]),
});

test("a release that says, keeps or holds more than the one before is found", () => {
  const wrong = (after: FleetUse) =>
    useChecks([use(0, 0), use(1, 600)], [use(1, 600), after]).flatMap(({ name, ok }) => (ok ? [] : [name]));
  expect(wrong(use(2, 1200))).toEqual([]);
  expect(wrong(use(2, 600 + 1100))).toEqual(["components say as much as they did"]);
  expect(wrong(use(2, 600))).toEqual(["components say as much as they did"]);
  expect(wrong(use(2, 1200, 2 ** 20))).toEqual(["work folders grow as they did"]);
  expect(wrong(use(2, 1200, 0, 60))).toEqual(["files that were opened are closed"]);
});

test("a configuration that does not count is found by how often health is said", () => {
  const ok = (health: number) => configurationCheck([use(0, 0), use(1, 0, 0, 0, health)], 15).ok;
  expect([ok(2 * 240), ok(2 * 60)]).toEqual([true, false]);
});

test("heartbeats that are missing or too many are found", () => {
  const ok = (sent: number) => heartbeatCheck({ sentWithin: () => sent }, 8, span(0)).ok;
  expect([ok(478), ok(400), ok(28_800)]).toEqual([true, false, false]);
});

test("a line that does not arrive, or not whole, is missing; one that is still on its way is not", () => {
  const lines = new LogLines();
  const line = (timestamp: number) => ({ thing: "a", source: "c", timestamp, line: timestamp });
  lines.read(JSON.stringify({ ...line(1), level: "INFO", message: "at 37 °C" }));
  lines.read(JSON.stringify(line(2)).slice(1));
  expect(lines.check([line(1), line(9)], 5).ok).toBe(true);
  expect(lines.check([line(1), line(2)], 5)).toMatchObject({
    ok: false,
    found: "1 of 2 are missing; the first is c's on a",
  });
});

test("a release that costs the processor more, or lets nothing go, is found", () => {
  const before = { cpuMsPerReading: 1.5, heapBytesPerHour: 260_000, hours: 6 };
  const ok = (change: Partial<typeof before>) =>
    weightChecks(before, { ...before, ...change }).map((one) => one.ok);
  expect(ok({ cpuMsPerReading: 1.7, heapBytesPerHour: 290_000 })).toEqual([true, true]);
  expect(ok({ cpuMsPerReading: 3 })).toEqual([false, true]);
  expect(ok({ heapBytesPerHour: 700_000 })).toEqual([true, false]);
});
