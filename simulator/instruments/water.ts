/**
 * Properties of pure water at atmospheric pressure, 0 … 100 °C unless stated.
 */

/**
 * Dynamic viscosity in mPa·s by Vogel's equation, η = A·exp(B/(T − C)), T in K: A = 0.02939 mPa·s, B = 507.88 K,
 * C = 149.3 K; within 0.3 % of measured values between 0 and 60 °C.
 * @see Viswanath and Natarajan, Data Book on the Viscosity of Liquids, 1989
 */
export function waterViscosity(temperatureC: number): number {
  return 0.02939 * Math.exp(507.88 / (temperatureC + 273.15 - 149.3));
}

/**
 * Density in kg/m³, by a ratio of polynomials in °C.
 * @see Kell, J. Chem. Eng. Data 20 (1975) 97
 */
export function waterDensity(temperatureC: number): number {
  const t = temperatureC;
  const above =
    999.83952 +
    t * (16.945176 + t * (-7.9870401e-3 + t * (-46.170461e-6 + t * (105.56302e-9 - t * 280.54253e-12))));
  return above / (1 + 16.87985e-3 * t);
}

/**
 * Speed of sound in m/s, by a polynomial in °C, 0 … 95 °C.
 * @see Marczak, J. Acoust. Soc. Am. 102 (1997) 2776
 */
export function waterSoundSpeed(temperatureC: number): number {
  const t = temperatureC;
  return (
    1402.385 + t * (5.038813 + t * (-5.799136e-2 + t * (3.287156e-4 + t * (-1.398845e-6 + t * 2.78786e-9))))
  );
}
