import * as z from "zod";

/** A bottle of reference fluid, as its certificate has it. */
export const ReferenceFluid = z.strictObject({
  name: z.string().min(1).max(64),
  lot: z.string().min(1).max(64),
  certificate: z.string().min(1).max(64),
  /** The first moment at which it may not be used any more, in ms since 1970. */
  expiresMs: z.number(),
  /** Viscosity in mPa·s by temperature in °C; between two rows its logarithm is a straight line. */
  viscosity: z
    .array(z.tuple([z.number(), z.number().positive()]))
    .min(2)
    .max(100)
    .refine((rows) => rows.every((row, index) => index === 0 || row[0] > (rows[index - 1]?.[0] ?? row[0])), {
      message: "the temperatures of a reference fluid rise from row to row",
    }),
  /** Expanded uncertainty of these viscosities, as a share of them, and its coverage factor. */
  expandedUncertainty: z.number().positive().max(0.1),
  coverageFactor: z.number().min(1).max(4).default(2),
});
export type ReferenceFluid = z.infer<typeof ReferenceFluid>;

/** Its viscosity at a temperature and how fast that changes, as a share a kelvin; undefined beyond its table. */
export function viscosityAt(
  { viscosity }: ReferenceFluid,
  temperatureC: number,
): { readonly mPaS: number; readonly sharePerKelvin: number } | undefined {
  const upper = viscosity.findIndex(([at], index) => index > 0 && temperatureC <= at);
  const [t0, v0] = viscosity[upper - 1] ?? [Infinity, 1];
  const [t1, v1] = viscosity[upper] ?? [Infinity, 1];
  if (upper < 1 || temperatureC < t0) return undefined;
  const sharePerKelvin = Math.log(v1 / v0) / (t1 - t0);
  return { mPaS: v0 * Math.exp(sharePerKelvin * (temperatureC - t0)), sharePerKelvin };
}
