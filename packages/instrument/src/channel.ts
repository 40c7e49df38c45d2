import type { Quality } from "@coalmine/contract";
import * as z from "zod";
import { CalibrationCurve, calibrate } from "./calibration.ts";
import { UcumCode } from "./ucum.ts";

const finite = z.number();

/** What becomes of a raw number that an instrument gives: a value on a channel, in a unit, with its quality. */
export const channelShape = {
  channel: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, "1 to 64 of a-z, 0-9 and -")
    .describe("What it measures."),
  unit: UcumCode.describe("UCUM code of the value."),
  scale: finite
    .refine((scale) => scale !== 0, "any number but 0")
    .default(1)
    .describe("value = raw · scale + offset, before the calibration; not 0."),
  offset: finite.default(0).describe("See `scale`."),
  clipsBelow: finite.optional().describe("Raw numbers at or below are the end of the sensor's range."),
  clipsAbove: finite.optional().describe("Raw numbers at or above as well."),
  validFrom: finite.optional().describe("Below, the value is uncertain; a calibration says so itself."),
  validTo: finite.optional().describe("Above as well."),
  calibration: CalibrationCurve.optional().describe("From the scaled value to the channel's."),
  calibrationId: z
    .string()
    .min(1)
    .max(64)
    .default("instrument")
    .describe("Without a curve: the maker's own."),
} as const;

export const Channel = z.strictObject(channelShape);
export type Channel = z.infer<typeof Channel>;

/** A refusal of what each key allows but not both together; undefined where there is none. */
export function channelRefusal(channel: Channel): string | undefined {
  const { calibration, unit, validFrom = -Infinity, validTo = Infinity } = channel;
  if (calibration !== undefined && calibration.outputUnit !== unit)
    return `calibration.outputUnit is "${calibration.outputUnit}" and unit is "${unit}": they must be the same`;
  return validFrom < validTo
    ? undefined
    : `validFrom is ${validFrom} and validTo is ${validTo}: it must rise`;
}

export interface Judged {
  readonly value: number;
  readonly quality: Quality;
  readonly calibrationId: string;
}

/** What a raw number is worth on its channel. `last` stands in for a number that is none. */
export function judge(channel: Channel, raw: number, last: number): Judged {
  const { scale, offset, calibration, clipsBelow = -Infinity, clipsAbove = Infinity } = channel;
  const calibrationId = calibration?.id ?? channel.calibrationId;
  const scaled = raw * scale + offset;
  const calibrated = calibration === undefined ? undefined : calibrate(calibration, scaled);
  const value = calibrated?.value ?? scaled;
  if (!Number.isFinite(value))
    return { value: last, quality: { level: "bad", cause: "instrument" }, calibrationId };
  if (raw <= clipsBelow || raw >= clipsAbove)
    return { value, quality: { level: "bad", cause: "clipped" }, calibrationId };
  const { validFrom = -Infinity, validTo = Infinity } = channel;
  const inRange = calibrated?.inRange ?? (value >= validFrom && value <= validTo);
  return {
    value,
    quality: inRange ? { level: "good" } : { level: "uncertain", cause: "out-of-range" },
    calibrationId,
  };
}

/** The point of a channel whose number could not be had. */
export function missing(channel: Channel, last: number, cause: "instrument" | "stale" | "gap"): Judged {
  return {
    value: last,
    quality: { level: "bad", cause },
    calibrationId: channel.calibration?.id ?? channel.calibrationId,
  };
}
