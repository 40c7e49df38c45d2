/** Steady shear viscosity of human blood, in mPa·s. Equations, units, sources and limits: README.md beside this file. */

export interface Blood {
  /** Volume share of red cells, 0 … 0.6. */
  readonly haematocrit: number;
  readonly temperatureC: number;
  /** In g/l; 1.5 … 4 is usual. */
  readonly fibrinogen: number;
}

export type BloodModel = (shearRate: number, blood: Blood) => number;

/** √τ = √τy + √(ηc·γ̇), with τy and ηc from composition and temperature. */
export const casson: BloodModel = (shearRate, blood) => {
  const root = Math.sqrt(yieldStress(blood)) + Math.sqrt(cassonViscosity(blood) * 1e-3 * shearRate);
  return (1000 * root * root) / shearRate;
};

/** η = η∞ + (η0 − η∞)·(1 + (λ·γ̇)^a)^((n−1)/a): measured at 45 % and 37 °C, carried to other blood by ratios. */
export const carreauYasuda: BloodModel = (shearRate, blood) => {
  const atRest = 56;
  const atSpeed = 3.45;
  const thinning = (1 + (1.902 * shearRate) ** 1.25) ** ((0.22 - 1) / 1.25);
  const suspension = cassonViscosity(blood) / cassonViscosity(reference);
  // What thins with shear are aggregates, and the yield stress is their strength.
  const aggregates = yieldStress(blood) / yieldStress(reference);
  return suspension * (atSpeed + aggregates * (atRest - atSpeed) * thinning);
};

const reference: Blood = { haematocrit: 0.45, temperatureC: 37, fibrinogen: 2.5 };

/** Casson's ηc in mPa·s: plasma of 1.67 mPa·s at 23 °C, thickened by cells, thinned by warmth. */
function cassonViscosity(blood: Blood): number {
  const plasma = 1.67;
  const { haematocrit } = blood;
  const cells = 1 + 2.0703 * haematocrit + 3.7222 * haematocrit ** 2;
  return plasma * cells * Math.exp(-7.0276 * (1 - 296.16 / (blood.temperatureC + 273.15)));
}

/** In Pa. None below the haematocrit at which cells no longer touch. */
function yieldStress(blood: Blood): number {
  const fibrinogen = blood.fibrinogen / 10; // the fit is in g/dl, and its result in dyn/cm²
  const critical = fibrinogen < 0.75 ? 0.3126 * fibrinogen ** 2 - 0.468 * fibrinogen + 0.1764 : 0.0012;
  const above = Math.max(0, blood.haematocrit - critical);
  return 0.1 * above ** 2 * (0.5084 * fibrinogen + 0.4517) ** 2;
}
