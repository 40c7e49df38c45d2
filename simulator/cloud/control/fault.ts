import * as z from "zod";

/** A day is long for a test; nothing is broken for longer. */
const SECONDS_MAX = 24 * 3600;
const Name = z.string().min(1).max(128);

/** What happens to one device's way to the cloud, until its time is over. */
const LinkFaults = [
  /** Nothing gets through: connections end without a word, and new ones are not taken. */
  z.strictObject({ kind: z.literal("cut"), thing: Name, seconds: z.number().positive().max(SECONDS_MAX) }),
  /** Everything takes so much longer, each way. */
  z.strictObject({
    kind: z.literal("slow"),
    thing: Name,
    delayMs: z.number().int().min(1).max(60_000),
    seconds: z.number().positive().max(SECONDS_MAX),
  }),
] as const;

const Scope = {
  /** A name in credential scopes (`greengrass`, `s3`, …), `credentials`, or `mqtt`. */
  service: Name,
  /** Every operation of the service, where it is left out. */
  operation: Name.optional(),
  /** Every caller, where it is left out. */
  thing: Name.optional(),
  /** Only calls of devices, and not those of the account's operator. */
  onlyDevices: z.literal(true).optional(),
  probability: z.number().positive().max(1).default(1),
  /** Ends after it has struck so often. */
  count: z.number().int().min(1).max(1_000_000).optional(),
  seconds: z.number().positive().max(SECONDS_MAX).optional(),
};

/** What happens to calls. */
const CallFaults = [
  /** Refused as the service refuses who asks too often; nothing is done. */
  z.strictObject({ kind: z.literal("throttle"), ...Scope }),
  /** Failed as the service fails; nothing is done. */
  z.strictObject({
    kind: z.literal("error"),
    ...Scope,
    status: z.literal([500, 502, 503, 504]).default(500),
  }),
  /** Done and durable, but the answer never comes: HTTP hangs up, MQTT sends no acknowledgement. */
  z.strictObject({ kind: z.literal("drop-reply"), ...Scope }),
] as const;

export const Fault = z
  .discriminatedUnion("kind", [...LinkFaults, ...CallFaults])
  .refine((fault) => fault.seconds !== undefined || ("count" in fault && fault.count !== undefined), {
    message: "say when it ends: give count, seconds or both",
  })
  .refine((fault) => !("service" in fault && fault.service === "mqtt" && fault.kind !== "drop-reply"), {
    message: "of mqtt only replies can be dropped; cut or slow the thing's link instead",
  });
export type Fault = z.infer<typeof Fault>;
export type CallFault = Extract<Fault, { service: string }>;

/** A call as far as a fault asks. */
export interface Call {
  readonly service: string;
  readonly operation: string;
  readonly thing: string | undefined;
}

export function concerns(fault: Fault, call: Call): fault is CallFault {
  return (
    "service" in fault &&
    fault.service === call.service &&
    (fault.operation === undefined || fault.operation === call.operation) &&
    (fault.thing === undefined || fault.thing === call.thing) &&
    (fault.onlyDevices === undefined || call.thing !== undefined)
  );
}
