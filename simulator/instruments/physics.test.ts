import {
  controlFluidViscosity,
  alongTable,
  calibrate,
  factoryCalibration,
  apparentViscosity,
} from "@coalmine/instrument";
import { SeededRandom } from "@coalmine/runtime";
import { describe, expect, test } from "vitest";
import { carreauYasuda, casson, type Blood } from "./blood.ts";
import { CONTROL_GLYCEROL_MASS_SHARE, glycerolWaterViscosity } from "./control-fluid.ts";
import { recordedFibrinogen, recordedStormer, recording, stormerReplay } from "./recordings.ts";
import { Rheometer } from "./rheometer.ts";

const usual: Blood = { haematocrit: 0.45, temperatureC: 37, fibrinogen: 2.5 };

describe.each([
  ["Casson", casson],
  ["Carreau–Yasuda", carreauYasuda],
])("blood by %s", (_, viscosity) => {
  test("flows at high shear as published: 3.5 to 5 mPa.s at 45 % and 37 °C", () => {
    for (const rate of [200, 500, 1000]) {
      expect(viscosity(rate, usual)).toBeGreaterThan(3.45);
      expect(viscosity(rate, usual)).toBeLessThan(5);
    }
  });

  test("thins with shear, three to ten times between 1 and 1000 per second", () => {
    const rates = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    const curve = rates.map((rate) => viscosity(rate, usual));
    for (const [index, value] of curve.entries())
      if (index > 0) expect(value).toBeLessThan(curve[index - 1] ?? 0);
    const ratio = (curve[0] ?? 0) / (curve.at(-1) ?? 1);
    expect(ratio).toBeGreaterThan(3);
    expect(ratio).toBeLessThan(10);
  });

  test("thickens with cells and with cold, at low shear more than at high", () => {
    const thick = { ...usual, haematocrit: 0.55 };
    const cold = { ...usual, temperatureC: 27 };
    expect(viscosity(100, thick)).toBeGreaterThan(1.15 * viscosity(100, usual));
    expect(viscosity(2, thick) / viscosity(2, usual)).toBeGreaterThan(
      viscosity(1000, thick) / viscosity(1000, usual),
    );
    // About 2 % a degree near body temperature.
    expect(viscosity(500, cold) / viscosity(500, usual)).toBeGreaterThan(1.15);
    expect(viscosity(500, cold) / viscosity(500, usual)).toBeLessThan(1.35);
  });
});

test("blood is Carreau and Yasuda's with Cho and Kensey's parameters: 56 mPa.s at rest, 4.33 at 100 and 3.45 at speed", () => {
  expect(carreauYasuda(1e-4, usual)).toBeCloseTo(56, 1);
  expect(carreauYasuda(100, usual)).toBeCloseTo(4.326, 2);
  expect(carreauYasuda(1e9, usual)).toBeCloseTo(3.45, 2);
});

test("as a suspension blood begins as plasma, as Einstein has it, and thickens between his law and Quemada's", () => {
  const atSpeed = (haematocrit: number) => casson(1e12, { haematocrit, temperatureC: 23, fibrinogen: 2.5 });
  const plasma = atSpeed(0);
  expect(plasma).toBeCloseTo(1.67, 2);
  // Einstein: 1 + 2.5 H for hard spheres; red cells give way, so that theirs is a little less.
  const slope = (atSpeed(0.01) / plasma - 1) / 0.01;
  expect(slope).toBeGreaterThan(1.9);
  expect(slope).toBeLessThan(2.5);
  // Quemada: (1 − k·H/2)⁻², with k from 1.65 to 2.07 of blood at speed.
  const quemada = (k: number) => (1 - (k * 0.45) / 2) ** -2;
  expect(atSpeed(0.45) / plasma).toBeGreaterThan(1 + 2.5 * 0.45);
  expect(atSpeed(0.45) / plasma).toBeGreaterThan(quemada(1.65));
  expect(atSpeed(0.45) / plasma).toBeLessThan(quemada(2.07));
});

test("fibrinogen thickens slow blood", () => {
  expect(casson(2, { ...usual, fibrinogen: 4 })).toBeGreaterThan(1.1 * casson(2, usual));
});

test("glycerol in water has the viscosity of the handbook's tables", () => {
  // Segur and Oberstar, Ind. Eng. Chem. 43 (1951) 2117: share, °C, mPa.s
  const published = [
    [0, 20, 1.005],
    [0, 40, 0.656],
    [0.4, 20, 3.72],
    [0.4, 40, 2.07],
    [0.6, 20, 10.8],
  ] as const;
  for (const [share, temperature, viscosity] of published)
    expect(Math.abs(glycerolWaterViscosity(share, temperature) / viscosity - 1)).toBeLessThan(0.03);
});

test("the table that hosts have of the control fluid is the fluid that is measured", () => {
  for (let temperature = 20; temperature <= 42; temperature += 0.5)
    expect(
      alongTable(controlFluidViscosity, temperature) /
        glycerolWaterViscosity(CONTROL_GLYCEROL_MASS_SHARE, temperature),
    ).toBeCloseTo(1, 2);
});

const viscosities = (rheometer: Rheometer, what: "sample" | "control") =>
  rheometer
    .curve(what, 0)
    .map((point) =>
      apparentViscosity(calibrate(factoryCalibration, point.shearStress).value, point.shearRate),
    );

test("a healthy rheometer gives the control fluid's viscosity within 2 % and blood's shear-thinning curve", () => {
  const rheometer = new Rheometer({ random: new SeededRandom("a") });
  const reference = glycerolWaterViscosity(CONTROL_GLYCEROL_MASS_SHARE, 37);
  const residuals = Array.from({ length: 50 }, () => viscosities(rheometer, "control"))
    .flat()
    .map((viscosity) => Math.abs(viscosity / reference - 1));
  expect(residuals.reduce((sum, residual) => sum + residual, 0) / residuals.length).toBeLessThan(0.02);
  const blood = viscosities(rheometer, "sample");
  expect(blood.at(-1) ?? 0).toBeGreaterThan(2 * (blood[0] ?? 0));
});

test("a sensor whose gain is off by a tenth shows on the control fluid", () => {
  const rheometer = new Rheometer({ random: new SeededRandom("a") });
  rheometer.gainFault = 1.1;
  const fast = viscosities(rheometer, "control").slice(0, 10);
  const mean = fast.reduce((sum, value) => sum + value, 0) / fast.length;
  expect(mean / glycerolWaterViscosity(CONTROL_GLYCEROL_MASS_SHARE, 37)).toBeCloseTo(1.1, 1);
});

test("a clogged capillary is flagged from the point on where stress jumps", () => {
  const rheometer = new Rheometer({
    random: new SeededRandom("c"),
    cloggedShare: 1,
    noiseShare: 0,
    noisePa: 0,
  });
  const curves = Array.from({ length: 20 }, () => rheometer.curve("sample", 0));
  const jumps = curves.flatMap((points) => {
    const at = points.findIndex((point) => point.clogged);
    expect(points.slice(at).every((point) => point.clogged)).toBe(true);
    const [before, after] = [points[at - 1], points[at]];
    if (before === undefined || after === undefined) return [];
    return [after.shearStress / after.shearRate / (before.shearStress / before.shearRate)];
  });
  expect(Math.min(...jumps)).toBeGreaterThan(1.3);
});

test("a thermostat set colder gives the control fluid's viscosity at that temperature", () => {
  const rheometer = new Rheometer({ random: new SeededRandom("cold"), noiseShare: 0, driftShare: 0 });
  rheometer.thermostatC = 25;
  const [fast = 0] = viscosities(rheometer, "control");
  expect(fast / glycerolWaterViscosity(CONTROL_GLYCEROL_MASS_SHARE, 25)).toBeCloseTo(1, 1);
});

test("an air bubble takes its share of the stress while it passes, and nothing else", () => {
  const measured = (bubbleShare: number) => {
    const rheometer = new Rheometer({
      random: new SeededRandom("b"),
      noiseShare: 0,
      noisePa: 0,
      driftShare: 0,
    });
    rheometer.bubbleShare = bubbleShare;
    return viscosities(rheometer, "control");
  };
  const ratios = measured(0.4).map(
    (value) => value / glycerolWaterViscosity(CONTROL_GLYCEROL_MASS_SHARE, 37),
  );
  expect(ratios.filter((ratio) => ratio < 0.7)).toHaveLength(3);
  expect(ratios.filter((ratio) => ratio > 0.9)).toHaveLength(17);
  expect(measured(0).every((value) => value > 2)).toBe(true);
});

test("the same seed measures the same", () => {
  const measured = (seed: string) => new Rheometer({ random: new SeededRandom(seed) }).curve("sample", 0);
  expect(measured("x")).toEqual(measured("x"));
  expect(measured("x")).not.toEqual(measured("y"));
});

test("the recordings are there, whole", () => {
  expect(recording("ppg-100hz")).toHaveLength(2483);
  expect(recording("daphnet-accelerometer-64hz")).toHaveLength(7041);
  expect(recordedFibrinogen()).toHaveLength(32);
  expect(Math.min(...recordedFibrinogen())).toBeGreaterThan(1);
});

test("the recorded viscometer obeys its published law T = b·v/(w − c), near b = 29, c = 2.5", () => {
  // w·T = b·v + c·T is linear in b and c.
  const rows = recordedStormer();
  expect(rows).toHaveLength(23);
  const sum = (term: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + term(row), 0);
  const vv = sum((row) => row.viscosity ** 2);
  const vt = sum((row) => row.viscosity * row.timeSeconds);
  const tt = sum((row) => row.timeSeconds ** 2);
  const yv = sum((row) => row.weightGrams * row.timeSeconds * row.viscosity);
  const yt = sum((row) => row.weightGrams * row.timeSeconds ** 2);
  const determinant = vv * tt - vt * vt;
  expect((yv * tt - yt * vt) / determinant).toBeCloseTo(28.876, 2);
  expect((yt * vv - yv * vt) / determinant).toBeCloseTo(2.8437, 3);
});

test("the replay of the viscometer gives back the recorded viscosities", () => {
  const points = stormerReplay((stress) => stress).curve("sample", 0);
  expect(points.map((point) => apparentViscosity(point.shearStress, point.shearRate).toFixed(3))).toEqual(
    recordedStormer().map((row) => row.viscosity.toFixed(3)),
  );
});
