/**
 * Viscosity of glycerol in water, in mPa·s: Newtonian, so one number holds at every shear rate.
 * `massShare` 0 … 1, 0 … 100 °C, within about 2 % of measured tables.
 * @see Cheng, Ind. Eng. Chem. Res. 47 (2008) 3285, https://doi.org/10.1021/ie071349z
 */
export function glycerolWaterViscosity(massShare: number, temperatureC: number): number {
  const t = temperatureC;
  const water = 1.79 * Math.exp(((-1230 - t) * t) / (36_100 + 360 * t));
  const glycerol = 12_100 * Math.exp(((-1233 + t) * t) / (9900 + 70 * t));
  const a = 0.705 - 0.0017 * t;
  const b = (4.9 + 0.036 * t) * a ** 2.5;
  const dry = 1 - massShare;
  const weight = dry + (a * b * massShare * dry) / (a * massShare + b * dry);
  return water ** weight * glycerol ** (1 - weight);
}

/** The control fluid of the suite; its table for hosts is `controlFluidViscosity` of packages/instrument. */
export const CONTROL_GLYCEROL_MASS_SHARE = 0.4;
