import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { FlowMeter, profileFactor, reynolds } from "./flow-meter.ts";

const random = new SeededRandom("flow");
const SECOND_MS = 1000;

test("one metre a second in a pipe of 50 mm at 20 °C is a Reynolds number of 49,800", () => {
  expect(Math.abs(reynolds(1, 0.05, 20) / 49_800 - 1)).toBeLessThan(0.005);
});

test("across a pipe the mean is 4/3 of the area's in laminar flow, and near 8 % above it in turbulent", () => {
  expect(profileFactor(500)).toBeCloseTo(4 / 3, 10);
  // The one-seventh power law gives (7/8)/(49/60) at a Reynolds number of about 100,000.
  expect(Math.abs(profileFactor(1e5) / (7 / 8 / (49 / 60)) - 1)).toBeLessThan(0.01);
  expect(profileFactor(3000)).toBeLessThan(profileFactor(2400));
});

test.each([0.02, 0.2, 1, 3])("at %d m/s it reads the true flow within 1 %% and its own noise", (velocity) => {
  const meter = new FlowMeter({ random, velocity: () => velocity, noiseNs: 0.01 });
  const true_ = velocity * (Math.PI / 4) * 0.05 ** 2 * 3600;
  const readings = Array.from({ length: 200 }, (_, index) => meter.read(index * SECOND_MS).flow);
  const mean = readings.reduce((sum, flow) => sum + flow, 0) / readings.length;
  expect(Math.abs(mean / true_ - 1)).toBeLessThan(0.01);
});

test("its volume is the integral of the flow; bubbles stop it and say so; an offset shows at rest", () => {
  const meter = new FlowMeter({ random, velocity: () => 1, noiseNs: 0 });
  for (let at = 0; at <= 3600; at += 10) meter.read(at * SECOND_MS);
  const { volume, flow } = meter.read(3600 * SECOND_MS);
  expect(volume).toBeCloseTo(flow, 6);
  meter.hasBubbles = true;
  expect(meter.read(3601 * SECOND_MS)).toMatchObject({ isValid: false, volume });
  const still = new FlowMeter({ random, velocity: () => 0, noiseNs: 0 });
  expect(still.read(0).flow).toBe(0);
  still.zeroOffsetNs = 5;
  expect(still.read(SECOND_MS).flow).toBeGreaterThan(0.01);
});
