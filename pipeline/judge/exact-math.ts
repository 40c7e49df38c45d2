/**
 * Logarithm, exponential and the normal distribution from additions, multiplications, divisions and square roots only:
 * IEEE 754 fixes those to the bit, while `Math.log` and `Math.exp` may differ between engines and machines.
 */

const LN2_HIGH = 0.69314718036912381649;
const LN2_LOW = 1.90821492927058770002e-10;
/** About √½: where doubling the mantissa brings it nearer to 1. */
const DOUBLE_BELOW = 0.71;

const view = new DataView(new ArrayBuffer(8));

/** Natural logarithm; NaN below zero, as `Math.log`. */
export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return Infinity;
  let exponent = 0;
  let scaled = x;
  if (scaled < 2.2250738585072014e-308) {
    scaled *= 2 ** 54;
    exponent = -54;
  }
  view.setFloat64(0, scaled);
  const high = view.getUint32(0);
  exponent += (high >>> 20) - 1022;
  view.setUint32(0, (high & 0x000f_ffff) | 0x3fe0_0000);
  let mantissa = view.getFloat64(0);
  if (mantissa < DOUBLE_BELOW) {
    mantissa *= 2;
    exponent--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let power = 21; power >= 3; power -= 2) series = (series + 1 / power) * square;
  return exponent * LN2_HIGH + (2 * s + (2 * s * series + exponent * LN2_LOW));
}

/** e to the power of x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x > 709.7) return Infinity;
  if (x < -745) return 0;
  const k = Math.round(x / (LN2_HIGH + LN2_LOW));
  const rest = x - k * LN2_HIGH - k * LN2_LOW;
  let series = 1;
  for (let n = 16; n >= 1; n--) series = 1 + (rest / n) * series;
  // In two halves, so that neither power of two leaves the range of normal numbers.
  const half = Math.trunc(k / 2);
  return series * powerOfTwo(half) * powerOfTwo(k - half);
}

function powerOfTwo(exponent: number): number {
  view.setUint32(0, (exponent + 1023) << 20);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** Chance that a standard normal variable is below z. */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < -38) return 0;
  if (z > 38) return 1;
  const size = z < 0 ? -z : z;
  const density = exp(-0.5 * size * size) / 2.5066282746310002;
  let tail: number;
  if (size < 3) {
    let term = size;
    let sum = size;
    for (let n = 1; n < 120; n++) {
      term *= (size * size) / (2 * n + 1);
      sum += term;
    }
    tail = 0.5 - density * sum;
  } else {
    // Laplace's continued fraction of the tail.
    let fraction = size;
    for (let n = 60; n >= 1; n--) fraction = size + n / fraction;
    tail = density / fraction;
  }
  return z < 0 ? tail : 1 - tail;
}

/** The z below which a standard normal variable lies with this chance, by bisection of `normalCdf`. */
export function normalQuantile(probability: number): number {
  if (!(probability > 0)) return -Infinity;
  if (!(probability < 1)) return Infinity;
  let low = -38;
  let high = 38;
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
