import * as z from "zod";
import { UcumCode } from "./ucum.ts";

const common = {
  id: z
    .string()
    .min(1)
    .max(64)
    .describe("In every measurement made with this curve: a new fit gets a new id."),
  /** @see https://ucum.org */
  inputUnit: UcumCode.describe("UCUM code of what goes in."),
  outputUnit: UcumCode.describe("And of what comes out."),
  validFrom: z.number().describe("Least input of the fit; outside, the value is computed but not trusted."),
  validTo: z.number().describe("Greatest input of the fit."),
  relativeUncertainty: z
    .number()
    .nonnegative()
    .describe("Standard uncertainty of the output, as a share of it; the larger of the two holds."),
  absoluteUncertainty: z.number().nonnegative().describe("And as a floor in its unit."),
};

/** A calibration curve: a polynomial, lowest power first, or a table with straight lines between its rows. */
export const CalibrationCurve = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("polynomial").describe("A polynomial."),
      ...common,
      coefficients: z.array(z.number()).min(1).max(8).describe("Lowest power first."),
    }),
    z.object({
      kind: z.literal("table").describe("Straight lines between rows."),
      ...common,
      rows: z
        .array(z.tuple([z.number(), z.number()]))
        .min(2)
        .max(200)
        .refine(
          (rows) => rows.every((row, index) => index === 0 || row[0] > (rows[index - 1]?.[0] ?? row[0])),
          {
            message: "the inputs of a calibration table rise from row to row",
          },
        )
        .describe("Input and output; inputs rise."),
    }),
  ])
  .refine((curve) => curve.validFrom < curve.validTo, {
    message: "a calibration is valid from a lower to a higher input",
  });
export type CalibrationCurve = z.infer<typeof CalibrationCurve>;

export interface Calibrated {
  readonly value: number;
  readonly uncertainty: number;
  /** The input lies where the fit was made. */
  readonly inRange: boolean;
}

export function calibrate(curve: CalibrationCurve, raw: number): Calibrated {
  const value = curve.kind === "polynomial" ? horner(curve.coefficients, raw) : alongTable(curve.rows, raw);
  return {
    value,
    uncertainty: Math.max(curve.absoluteUncertainty, curve.relativeUncertainty * Math.abs(value)),
    inRange: raw >= curve.validFrom && raw <= curve.validTo,
  };
}

/** Straight lines between rows of rising input, the first and last lines carried on beyond them. */
export function alongTable(rows: readonly (readonly [number, number])[], at: number): number {
  let upper = 1;
  while (upper < rows.length - 1 && at > (rows[upper]?.[0] ?? at)) upper++;
  const [x0, y0] = rows[upper - 1] ?? [0, 0];
  const [x1, y1] = rows[upper] ?? [1, y0];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}

/** mPa·s out of Pa and 1/s. Not a number where nothing flows. */
export function apparentViscosity(shearStressPa: number, shearRatePerSecond: number): number {
  return (1000 * shearStressPa) / shearRatePerSecond;
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}
