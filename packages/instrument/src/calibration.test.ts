import { expect, test } from "vitest";
import { apparentViscosity, calibrate, CalibrationCurve } from "./calibration.ts";
import { factoryCalibration } from "./rheometer-type.ts";

const base = { id: "c", inputUnit: "Pa", outputUnit: "Pa", validFrom: 0, validTo: 10 };

test("a polynomial curve gives value, uncertainty and whether the fit covers the input", () => {
  const curve = CalibrationCurve.parse({
    kind: "polynomial",
    ...base,
    relativeUncertainty: 0.01,
    absoluteUncertainty: 0.5,
    coefficients: [1, 2, 3],
  });
  expect(calibrate(curve, 2)).toEqual({ value: 17, uncertainty: 0.5, inRange: true });
  expect(calibrate(curve, 20)).toEqual({ value: 1241, uncertainty: 12.41, inRange: false });
});

test("a table curve goes through its rows, straight between and beyond them", () => {
  const curve = CalibrationCurve.parse({
    kind: "table",
    ...base,
    relativeUncertainty: 0,
    absoluteUncertainty: 0,
    rows: [
      [0, 1],
      [2, 5],
      [4, 6],
    ],
  });
  expect([0, 1, 2, 3, 4, 6, -1].map((raw) => calibrate(curve, raw).value)).toEqual([1, 3, 5, 5.5, 6, 7, -1]);
});

test("a table that does not rise, and a range that is empty, are refused in words", () => {
  const table = { kind: "table", ...base, relativeUncertainty: 0, absoluteUncertainty: 0 };
  const rows = [
    [1, 1],
    [1, 2],
  ];
  expect(CalibrationCurve.safeParse({ ...table, rows }).error?.message).toContain("rise from row to row");
  const empty = { ...factoryCalibration, validTo: 0 };
  expect(CalibrationCurve.safeParse(empty).error?.message).toContain("from a lower to a higher");
});

test("apparent viscosity is stress over rate, in mPa.s", () => {
  expect(apparentViscosity(0.4, 100)).toBeCloseTo(4, 12);
});
