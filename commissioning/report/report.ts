import * as z from "zod";

/** Reports are kept for years: what a page needs is all here, and each form of it has a number. */
export const REPORT_VERSION = 2;

export const StepName = z.enum(["clock", "network", "self-test", "calibration", "identity", "configuration"]);
export type StepName = z.infer<typeof StepName>;

const instant = z.iso.datetime();

export const StepRecord = z.discriminatedUnion("outcome", [
  z.strictObject({ step: StepName, outcome: z.literal("done"), at: instant }),
  z.strictObject({
    step: StepName,
    outcome: z.literal("left"),
    /** Who or what left it out; the last is made up for by the device itself. */
    because: z.enum(["not-part-of-this-run", "technician", "no-network"]),
    /** In the technician's own words. */
    words: z.string().optional(),
  }),
]);
export type StepRecord = z.infer<typeof StepRecord>;

export const NetworkCheck = z.strictObject({
  check: z.string(),
  target: z.string(),
  passed: z.boolean(),
  tookMs: z.number().optional(),
  /** What was found, and what to ask for. */
  sentence: z.string().optional(),
});
export type NetworkCheck = z.infer<typeof NetworkCheck>;

export const Quantity = z.enum(["readings", "noise", "offset", "drift", "temperature"]);
export type Quantity = z.infer<typeof Quantity>;

export const InstrumentRecord = z.strictObject({
  port: z.string(),
  found: z.boolean(),
  passed: z.boolean(),
  instrument: z.string().optional(),
  firmware: z.string().optional(),
  values: z.array(
    z.strictObject({
      quantity: Quantity,
      channel: z.string().optional(),
      value: z.number(),
      /** UCUM code. */
      unit: z.string(),
      /** What the value, without its sign, was held against. */
      limit: z.number().optional(),
    }),
  ),
  /** What was found, and what to do where it is not well; in English. */
  sentence: z.string(),
});
export type InstrumentRecord = z.infer<typeof InstrumentRecord>;

export const CalibrationRecord = z.strictObject({
  instrument: z.string(),
  /** In every measurement made with it. */
  calibration: z.string(),
  reference: z.string(),
  /** Number of the reference's own certificate. */
  referenceCertificate: z.string(),
  unit: z.string(),
  points: z.array(z.strictObject({ nominal: z.number(), measured: z.number() })),
  /** Greatest deviation allowed, as a share of the nominal value. */
  relativeLimit: z.number(),
  /** Standard deviation of repeated readings, as a share of their mean. */
  repeatability: z.number().optional(),
  passed: z.boolean(),
});
export type CalibrationRecord = z.infer<typeof CalibrationRecord>;

/** What the device was when it was left on site: each step, everything measured, who, where and when. Holds no secret. */
export const Report = z.strictObject({
  version: z.literal(REPORT_VERSION),
  thing: z.string(),
  site: z.string(),
  room: z.string().optional(),
  asset: z.string().optional(),
  region: z.string(),
  technician: z.string().optional(),
  startedAt: instant,
  finishedAt: instant,
  /** In which the pages show times; an IANA name. */
  timeZone: z.string(),
  passed: z.boolean(),
  steps: z.array(StepRecord),
  /** Positive where the device is ahead of the server. */
  clockAheadMs: z.number().optional(),
  network: z.array(NetworkCheck),
  ports: z.array(InstrumentRecord),
  calibrations: z.array(CalibrationRecord),
  /** Empty while the identity is still to come. */
  certificateId: z.string(),
  claimErased: z.boolean(),
  /** Of what ran here, by name. */
  versions: z.record(z.string(), z.string()),
  /** In the technician's own words. */
  deviations: z.array(z.string()),
});
export type Report = z.infer<typeof Report>;
