import { expect, test } from "vitest";
import { glycerolWaterViscosity } from "./control-fluid.ts";
import { waterDensity, waterSoundSpeed, waterViscosity } from "./water.ts";

const within = (value: number, published: number, share: number): void =>
  expect(Math.abs(value / published - 1), `${value} beside ${published}`).toBeLessThan(share);

test("water is as viscous as IAPWS says: 1.0016, 0.8900 and 0.6913 mPa.s at 20, 25 and 37 °C", () => {
  for (const [temperature, published] of [
    [20, 1.0016],
    [25, 0.89],
    [37, 0.6913],
  ] as const) {
    within(waterViscosity(temperature), published, 0.003);
    // Glycerol's formula without glycerol, by another author.
    within(glycerolWaterViscosity(0, temperature), published, 0.01);
  }
});

test("water's density and sound are those of the tables at 4, 20 and 37 °C", () => {
  within(waterDensity(4), 999.972, 1e-5);
  within(waterDensity(20), 998.203, 1e-5);
  within(waterDensity(37), 993.328, 1e-5);
  within(waterSoundSpeed(0), 1402.4, 1e-4);
  within(waterSoundSpeed(20), 1482.34, 1e-4);
  // It is fastest near 74 °C.
  expect(waterSoundSpeed(74)).toBeGreaterThan(waterSoundSpeed(72));
  expect(waterSoundSpeed(74)).toBeGreaterThan(waterSoundSpeed(76));
});
