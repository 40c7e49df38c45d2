import { InstrumentId, Measurement } from "@coalmine/contract";
import type { Reading } from "@coalmine/instrument";
import { expect, test } from "vitest";
import { Config } from "./config.ts";
import { worthOf } from "./points.ts";

const reading: Reading = {
  curve: 3,
  point: 4,
  points: 20,
  shearRate: 100,
  shearStress: 0.4,
  temperature: 37,
  haematocrit: 44,
  control: false,
  clogged: false,
  clipped: false,
};
const of = { instrument: InstrumentId.parse("rheo-1"), boot: 2, sequence: 64 };
const time = { ms: 1000, uncertaintyMs: 0.5, dated: true };
const config = Config.parse({});
const worth = (changes: Partial<Reading>, dated = true) =>
  worthOf(of, { ...reading, ...changes }, { ...time, dated }, config);
const quality = (changes: Partial<Reading>, dated?: boolean) =>
  worth(changes, dated).points.find((point) => point.channel.endsWith("apparent-viscosity"))?.quality;

test("a reading becomes five valid points; viscosity is calibrated stress over rate", () => {
  const { points, controlResidual } = worth({});
  expect(points.map((point) => Measurement.parse(point))).toEqual(points);
  expect(points.map(({ channel, value, unit }) => [channel, value, unit])).toEqual([
    ["shear-rate", 100, "/s"],
    // 1000 · (0.002 + 1.04 · 0.4) / 100
    ["apparent-viscosity", expect.closeTo(4.18, 10), "mPa.s"],
    ["temperature", 37, "Cel"],
    ["haematocrit", 44, "%"],
    ["curve-point", 4, "1"],
  ]);
  expect(controlResidual).toBeUndefined();
});

test("quality follows the flags, the calibration's range and whether the reading can be dated", () => {
  expect(quality({})).toEqual({ level: "good" });
  expect(quality({ clogged: true })).toEqual({ level: "bad", cause: "clogged" });
  expect(quality({ clipped: true })).toEqual({ level: "bad", cause: "clipped" });
  expect(quality({ shearRate: 0 })).toEqual({ level: "bad", cause: "instrument" });
  expect(quality({ shearStress: 25 })).toEqual({ level: "uncertain", cause: "out-of-range" });
  expect(quality({}, false)).toEqual({ level: "uncertain", cause: "stale" });
});

test("control readings go to channels of their own and are compared with the reference at their temperature", () => {
  // 2.2265 mPa.s at 37 °C
  const { points, controlResidual } = worth({ control: true, shearStress: (0.22265 - 0.002) / 1.04 });
  expect(points.every((point) => point.channel.startsWith("control-"))).toBe(true);
  expect(controlResidual).toBeLessThan(0.001);
  const warmer = worth({ control: true, temperature: 40, shearStress: (0.22265 - 0.002) / 1.04 });
  expect(warmer.controlResidual).toBeCloseTo(2.2265 / 2.0589 - 1, 3);
  expect(worth({ control: true, clogged: true }).controlResidual).toBeUndefined();
});
