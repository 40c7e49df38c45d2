import * as z from "zod";
import { InstrumentId } from "./ids.ts";

/** Why nothing usable was found on a port. Each has another remedy. */
export const NotFoundCause = z.discriminatedUnion("kind", [
  /** Not a byte, or nothing but the echo of our own: no power, no cable, or transmit and receive swapped. */
  z.object({ kind: z.literal("silent"), echo: z.boolean(), askedMirrored: z.boolean() }),
  /** The two wires of RS-485 are swapped: `by` asking upside down, or turning round what came. */
  z.object({ kind: z.literal("swapped"), by: z.enum(["mirrored-question", "mirrored-lines"]) }),
  z.object({ kind: z.literal("wrong-baud"), baudRate: z.int(), fits: z.int() }),
  z.object({
    kind: z.literal("wrong-parity"),
    parity: z.enum(["none", "even", "odd"]),
    fits: z.enum(["none", "even", "odd"]),
  }),
  /** Something else answers: another protocol, or an instrument of another name. */
  z.object({ kind: z.literal("wrong-device"), answers: z.string() }),
  /** Bytes came that fit nothing that was tried. */
  z.object({ kind: z.literal("garbled"), bytes: z.int() }),
  z.object({ kind: z.literal("busy") }),
  z.object({ kind: z.literal("denied") }),
  z.object({ kind: z.literal("no-port") }),
  z.object({ kind: z.literal("not-opened") }),
  z.object({ kind: z.literal("unplugged") }),
]);
export type NotFoundCause = z.infer<typeof NotFoundCause>;

/** What a run of readings says of a sensor. Half-widths are of intervals of 99 %. */
export const Steadiness = z.object({
  /** UCUM code of all values; drifts are in it a minute. */
  unit: z.string(),
  readings: z.int(),
  mean: z.number(),
  meanHalfWidth: z.number(),
  /** Standard deviation about the straight line through the readings. */
  noise: z.number(),
  driftPerMinute: z.number(),
  driftHalfWidth: z.number(),
  /** What it is held against; nothing where nobody has stated any. */
  limits: z.object({ noise: z.number(), offset: z.number(), driftPerMinute: z.number() }).optional(),
});
export type Steadiness = z.infer<typeof Steadiness>;

export const Complaint = z.object({
  kind: z.enum(["readings", "noise", "drift", "empty-channel", "flags", "refused", "implausible"]),
  /** What, with which values, and what to do. */
  sentence: z.string(),
});
export type Complaint = z.infer<typeof Complaint>;

export const InstrumentFound = z.object({
  found: z.literal(true),
  passed: z.boolean(),
  protocol: z.enum(["cobs", "slip", "modbus-rtu", "modbus-tcp", "text"]),
  instrument: InstrumentId,
  firmware: z.string().optional(),
  boot: z.int().optional(),
  /** By channel. */
  steadiness: z.record(z.string(), Steadiness),
  /** In °C, where the instrument has it. */
  temperature: z.number().optional(),
  /** How often each quality flag was seen. */
  flags: z.record(z.string(), z.int()),
  complaints: z.array(Complaint),
  sentence: z.string(),
});
export type InstrumentFound = z.infer<typeof InstrumentFound>;

export const InstrumentNotFound = z.object({
  found: z.literal(false),
  passed: z.literal(false),
  /** As it is configured, where it is. */
  instrument: InstrumentId.optional(),
  cause: NotFoundCause,
  /** What was seen, and what to do. */
  sentence: z.string(),
});
export type InstrumentNotFound = z.infer<typeof InstrumentNotFound>;

/** What a self-test says of one instrument. */
export const SelfTestOutcome = z.discriminatedUnion("found", [InstrumentFound, InstrumentNotFound]);
export type SelfTestOutcome = z.infer<typeof SelfTestOutcome>;
