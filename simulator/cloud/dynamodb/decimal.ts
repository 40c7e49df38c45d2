import { invalid } from "./invalid.ts";

/** A number exactly: `units` of 10 to the power of −`scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const number = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
const DIGITS_MAX = 38;
/** Of the first digit, as a power of ten. */
const POWER_MAX = 125;
const POWER_MIN = -130;

/** As DynamoDB reads a number: up to 38 digits, of 1E-130 to 9.99E+125, exactly. */
export function readDecimal(text: string): Decimal {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = number.exec(text) ?? [];
  if (whole === "" && fraction === "")
    throw invalid(`The parameter cannot be converted to a numeric value: ${text}`);
  return bounded({
    units: BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction}`),
    scale: fraction.length - Number(exponent),
  });
}

/** In full, without an exponent. */
export function writeDecimal({ units, scale }: Decimal): string {
  const sign = units < 0n ? "-" : "";
  const digits = String(units < 0n ? -units : units);
  if (scale <= 0) return `${sign}${digits}${"0".repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, "0");
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

export function addDecimals(a: Decimal, b: Decimal, sign: 1 | -1): Decimal {
  const scale = Math.max(a.scale, b.scale);
  const at = (one: Decimal): bigint => one.units * 10n ** BigInt(scale - one.scale);
  return bounded({ units: at(a) + BigInt(sign) * at(b), scale });
}

export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = a.units * 10n ** BigInt(scale - a.scale) - b.units * 10n ** BigInt(scale - b.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Without zeros at the end, so that equal numbers are the same; refused beyond what DynamoDB holds. */
function bounded({ units, scale }: Decimal): Decimal {
  if (units === 0n) return { units, scale: 0 };
  let digits = String(units);
  const zeros = /0*$/.exec(digits)?.[0].length ?? 0;
  digits = digits.slice(0, digits.length - zeros);
  const found = { units: BigInt(digits), scale: scale - zeros };
  const count = digits.replace("-", "").length;
  const power = count - 1 - found.scale;
  if (count > DIGITS_MAX) throw invalid("Attempting to store more than 38 significant digits in a Number");
  if (power > POWER_MAX)
    throw invalid("Number overflow. Attempting to store a number with magnitude larger than supported range");
  if (power < POWER_MIN)
    throw invalid(
      "Number underflow. Attempting to store a number with magnitude smaller than supported range",
    );
  return found;
}
