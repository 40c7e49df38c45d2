import type { CalibrationCurve } from "./calibration.ts";

/** What is fixed about the capillary rheometers of the suite, whoever looks at one. */

/** The channels that one reading becomes, in order; of a control reading with `control-` before each. */
export const flowCurveChannels = [
  { channel: "shear-rate", unit: "/s" },
  { channel: "apparent-viscosity", unit: "mPa.s" },
  { channel: "temperature", unit: "Cel" },
  { channel: "haematocrit", unit: "%" },
  { channel: "curve-point", unit: "1" },
] as const;

export const POINTS_PER_CURVE = 20;

/** What the maker's own fit says of the pressure sensor: shear stress at the wall out of its raw reading. */
export const factoryCalibration: CalibrationCurve = {
  kind: "polynomial",
  id: "factory-1",
  inputUnit: "Pa",
  outputUnit: "Pa",
  validFrom: 0,
  validTo: 20,
  relativeUncertainty: 0.01,
  absoluteUncertainty: 0.0005,
  coefficients: [0.002, 1.04],
};

/**
 * The control fluid, 40 % glycerol in water by mass: its viscosity in mPa·s by temperature in °C.
 * @see Cheng, Ind. Eng. Chem. Res. 47 (2008) 3285, https://doi.org/10.1021/ie071349z
 */
export const controlFluidViscosity: readonly (readonly [number, number])[] = [
  [20, 3.6848],
  [22, 3.4503],
  [24, 3.2368],
  [26, 3.042],
  [28, 2.8638],
  [30, 2.7005],
  [32, 2.5505],
  [34, 2.4124],
  [36, 2.2852],
  [38, 2.1677],
  [40, 2.0589],
  [42, 1.9581],
];
