import * as z from "zod";

const unitMs = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const unitBytes = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** A number and its unit, as `90 s`; gives it in the smallest unit. */
function amount<Unit extends string>(what: string, example: string, factors: Readonly<Record<Unit, number>>) {
  const isUnit = (unit: string): unit is Unit => Object.hasOwn(factors, unit);
  const rule = `a ${what} is a number, a space and one of ${Object.keys(factors).join(", ")}, as in "${example}"`;
  return z.union([z.string(), z.number()], rule).transform((written, context) => {
    const [, number = "", unit = ""] = /^(-?\d+(?:\.\d+)?) (\S+)$/.exec(String(written)) ?? [];
    if (isUnit(unit)) return Number(number) * factors[unit];
    context.addIssue({ code: "custom", message: `"${written}" is no ${what}: ${rule}` });
    return z.NEVER;
  });
}

/** In ms; a length of time that may lead back. */
const SignedDuration = amount("duration", "10 min", unitMs);
export const Duration = SignedDuration.refine((ms) => ms >= 0, "a duration here does not lead back");
export { SignedDuration };
/** In bytes. */
export const Size = amount("size", "512 MiB", unitBytes).refine(
  (bytes) => bytes > 0,
  "a size is more than 0",
);

/** `2 h`, `1.5 min`: the largest unit of which it is at least one. */
export function toldMs(ms: number): string {
  const [unit, factor] =
    Object.entries(unitMs).findLast(([, factor]) => Math.abs(ms) >= factor) ?? (["ms", 1] as const);
  return `${Number((ms / factor).toFixed(2))} ${unit}`;
}
