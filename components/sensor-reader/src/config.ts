import { CalibrationCurve, controlFluidViscosity, factoryCalibration } from "@coalmine/instrument";
import { LinesConfig } from "@coalmine/instrument/lines";
import * as z from "zod";

/** The recipe's DefaultConfiguration, and what a deployment may change in it. All of it may change while running. */
export const Config = z.strictObject({
  /** Ports by their stable id, or every one there is, also those plugged in later. */
  ports: z.union([z.literal("all"), z.array(z.string().min(1).max(256)).min(1).max(32)]).default("all"),
  /** How instruments of the framed protocol frame. */
  framing: z.enum(["cobs", "slip"]).default("cobs"),
  /** Modbus slaves and instruments that send text. Their ports are theirs, whatever `ports` says. */
  lines: LinesConfig.default([]),
  baudRate: z.int().min(1200).max(4_000_000).default(115_200),
  /** Shear stress at the wall, in Pa, out of the sensor's raw reading. */
  calibration: CalibrationCurve.refine((curve) => curve.inputUnit === "Pa" && curve.outputUnit === "Pa", {
    message: 'the rheometer\'s raw reading and its stress are in Pa: inputUnit and outputUnit are "Pa"',
  }).default(factoryCalibration),
  /** Viscosity of the control fluid in mPa.s by temperature in °C, rising in temperature. */
  controlReference: z
    .array(z.tuple([z.number(), z.number().positive()]))
    .min(2)
    .max(100)
    .refine((rows) => rows.every((row, index) => index === 0 || row[0] > (rows[index - 1]?.[0] ?? row[0])), {
      message: "the temperatures of the control fluid's table rise from row to row",
    })
    .default(() =>
      controlFluidViscosity.map(([temperature, viscosity]): [number, number] => [temperature, viscosity]),
    ),
  /** A batch goes out when its curve is complete, or after this long. */
  batchSeconds: z.number().min(0.05).max(60).default(2),
  /** A batch without acknowledgement is published again after this long, then after twice that, up to the maximum. */
  republishSeconds: z.number().min(0.1).max(3600).default(5),
  republishMaxSeconds: z.number().min(0.1).max(3600).default(120),
  /**
   * Readings kept per instrument until they are acknowledged. At the bound no more are taken, and the instrument's
   * ring keeps them.
   */
  unacknowledgedMax: z.int().min(100).max(100_000).default(2000),
  /**
   * Disk for readings of instruments without a ring (`lines`) until they are acknowledged. At the bound, as at
   * `unacknowledgedMax`, polls are missed ticks and lines of text are dropped.
   */
  backlogMiB: z.int().min(2).max(1024).default(16),
  /** How often the instrument's clock is compared with the device's. */
  timeExchangeSeconds: z.number().min(1).max(86_400).default(600),
  /** A deployment waits for a running flow curve, but no longer than this. */
  deferUpdateMaxSeconds: z.number().min(0).max(600).default(30),
  /**
   * After a start with a clock that was not set (1970), readings wait for it to be set: a framed instrument's in its ring,
   * others' on disk. After so long they are taken without a date.
   */
  clockPatienceSeconds: z.number().min(0).max(604_800).default(3600),
  healthIntervalSeconds: z.number().min(1).max(3600).default(60),
});
export type Config = z.infer<typeof Config>;
