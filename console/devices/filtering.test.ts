import type { DeviceRow } from "@coalmine/contract/operator-api";
import { expect, test } from "vitest";
import { everyDevice } from "../place/place.ts";
import { fitting } from "./filtering.ts";

const sets = { old: { "coalmine.SensorReader": "1.0.0" }, new: { "coalmine.SensorReader": "1.0.1" } };
const row = (thing: string, more: Partial<DeviceRow> = {}): DeviceRow => ({
  thing,
  fleet: "home",
  cohort: "main",
  state: "well",
  set: "old",
  ...more,
});
const rows = [
  row("rheo-1", { site: "St-Mary", cohort: "canary", set: "new" }),
  row("rheo-2", { state: "failing" }),
  row("core-3", { fleet: "driven", site: "st-mary" }),
  { thing: "core-4", fleet: "driven", cohort: "main", state: "unseen" } as const,
];
const found = (filter: Partial<typeof everyDevice>): string[] =>
  fitting(rows, sets, { ...everyDevice, ...filter }).map(({ thing }) => thing);

test("a filter keeps the devices that fit all of it, in their order", () => {
  expect(found({})).toEqual(["rheo-1", "rheo-2", "core-3", "core-4"]);
  expect(found({ text: "MARY" })).toEqual(["rheo-1", "core-3"]);
  expect(found({ text: "mary rheo" })).toEqual(["rheo-1"]);
  expect(found({ fleet: "driven", text: "mary" })).toEqual(["core-3"]);
  expect(found({ cohort: "canary" })).toEqual(["rheo-1"]);
  expect(found({ state: "failing" })).toEqual(["rheo-2"]);
});

test("a filter by what runs knows a component, and one version of it", () => {
  expect(found({ runs: "coalmine.SensorReader" })).toEqual(["rheo-1", "rheo-2", "core-3"]);
  expect(found({ runs: "coalmine.SensorReader@1.0.1" })).toEqual(["rheo-1"]);
  expect(found({ runs: "coalmine.Unknown" })).toEqual([]);
});
