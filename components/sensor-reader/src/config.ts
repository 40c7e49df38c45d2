import { CalibrationCurve, controlFluidViscosity, factoryCalibration } from "@coalmine/instrument";
import { LinesConfig } from "@coalmine/instrument/lines";
import * as z from "zod";

/** The recipe's DefaultConfiguration, and what a deployment may change in it. All of it may change while running. */
export const Config = z.strictObject({
  ports: z
    .union([z.literal("all"), z.array(z.string().min(1).max(256)).min(1).max(32)])
    .default("all")
    .describe("Ports by their stable id, or every one there is, also those plugged in later."),
  framing: z.enum(["cobs", "slip"]).default("cobs").describe("How instruments of the framed protocol frame."),
  lines: LinesConfig.default([]).describe(
    "Modbus slaves and instruments that send text. Their ports are theirs, whatever `ports` says.",
  ),
  baudRate: z.int().min(1200).max(4_000_000).default(115_200).describe("Of the framed protocol's ports."),
  calibration: CalibrationCurve.refine((curve) => curve.inputUnit === "Pa" && curve.outputUnit === "Pa", {
    message: 'the rheometer\'s raw reading and its stress are in Pa: inputUnit and outputUnit are "Pa"',
  })
    .default(factoryCalibration)
    .describe("Shear stress at the wall, in Pa, out of the sensor's raw reading."),
  controlReference: z
    .array(z.tuple([z.number(), z.number().positive()]))
    .min(2)
    .max(100)
    .refine((rows) => rows.every((row, index) => index === 0 || row[0] > (rows[index - 1]?.[0] ?? row[0])), {
      message: "the temperatures of the control fluid's table rise from row to row",
    })
    .default(() =>
      controlFluidViscosity.map(([temperature, viscosity]): [number, number] => [temperature, viscosity]),
    )
    .describe("Viscosity of the control fluid in mPa.s by temperature in °C, rising in temperature."),
  batchSeconds: z
    .number()
    .min(0.05)
    .max(60)
    .default(2)
    .describe("A batch goes out when its curve is complete, or after this long."),
  republishSeconds: z
    .number()
    .min(0.1)
    .max(3600)
    .default(5)
    .describe("A batch without acknowledgement is published again after this long, then after twice that."),
  republishMaxSeconds: z.number().min(0.1).max(3600).default(120).describe("The longest of these waits."),
  unacknowledgedMax: z
    .int()
    .min(100)
    .max(100_000)
    .default(2000)
    .describe("Readings of an instrument kept until acknowledged; at the bound no more are taken."),
  backlogMiB: z
    .int()
    .min(2)
    .max(1024)
    .default(16)
    .describe(
      "Disk for readings of `lines` until acknowledged; at the bound polls are missed ticks, and lines of text dropped.",
    ),
  timeExchangeSeconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(600)
    .describe("How often the instrument's clock is compared with the device's."),
  deferUpdateMaxSeconds: z
    .number()
    .min(0)
    .max(600)
    .default(30)
    .describe("A deployment waits for a running flow curve, but no longer than this."),
  clockPatienceSeconds: z
    .number()
    .min(0)
    .max(604_800)
    .default(3600)
    .describe(
      "With a clock that was never set readings wait for it, in the ring or on disk; after so long they are taken without a date.",
    ),
  healthIntervalSeconds: z.number().min(1).max(3600).default(60).describe("How often health is published."),
});
export type Config = z.infer<typeof Config>;
