import * as z from "zod";
import { Sha256, ThingName } from "./ids.ts";

/** What an attribute of a thing may hold. @see https://docs.aws.amazon.com/iot/latest/apireference/API_AttributePayload.html */
const attribute = z
  .string()
  .regex(/^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/, "only letters, digits and _ . , @ / : # = [ ] - without spaces");
export const Site = attribute;
/** What the maker gave the machine: a board's serial number, say. */
export const HardwareId = attribute;

/** Paths below the address of the exchange. */
export const claimPaths = {
  exchange: "/claims/exchange",
  why: "/claims/why",
  order: "/claims/order",
} as const;

/** `POST /claims/exchange`: a code for a claim certificate of five minutes. */
export const ExchangeRequest = z.strictObject({
  code: z.string().max(100),
  /** Of the device's own public key (SubjectPublicKeyInfo, DER): the code serves this key and no other from now on. */
  key: Sha256,
});
export type ExchangeRequest = z.infer<typeof ExchangeRequest>;
export const ExchangeAnswer = z.object({ certificatePem: z.string(), privateKeyPem: z.string() });
export type ExchangeAnswer = z.infer<typeof ExchangeAnswer>;

/** Why a code is not taken. Only whoever shows the right code learns more than `wrong`. */
export const CodeRefusal = z.object({
  reason: z.enum(["malformed", "wrong", "expired", "used", "too-many"]),
  message: z.string(),
});
export type CodeRefusal = z.infer<typeof CodeRefusal>;

/** `POST /claims/why`, with the same body: what the allow-list said, which AWS IoT keeps from the device. */
export const WhyAnswer = z.object({
  refusal: z
    .object({
      reason: z.enum(["key", "serial", "hardware", "site", "count"]),
      message: z.string(),
    })
    .optional(),
});
export type WhyAnswer = z.infer<typeof WhyAnswer>;

const base64 = z.base64().max(4096);

/**
 * `POST /claims/order`: a device asks what became of it, also when it cannot connect any more. It shows its certificate (DER),
 * and signs `orderQuestion` with the certificate's key (SHA-256; ECDSA in DER).
 */
export const OrderRequest = z.strictObject({ thing: ThingName, certificate: base64, signature: base64 });
export type OrderRequest = z.infer<typeof OrderRequest>;
/** Always the same: whoever hears it can ask for the same answer, which tells what the fleet's history tells. */
export const orderQuestion = (thing: string): string => `coalmine: what is ${thing} to do?`;

/** An order stands in the history of the thing, and is of the certificate that asks; there is none for whoever proves nothing. */
export const OrderAnswer = z.object({
  order: z
    .object({
      kind: z.literal("wipe"),
      as: z.enum(["decommission", "rehome", "swap"]),
      at: z.string(),
      certificateId: z.string(),
    })
    .optional(),
});
export type OrderAnswer = z.infer<typeof OrderAnswer>;
export type WipeOrder = NonNullable<OrderAnswer["order"]>;

/** IoT Core: `CommissioningMessage`, from a device, as itself. */
export const commissioningTopic = (thing: string): string => `coalmine/${thing}/commissioning`;

/** What a device says of its commissioning. */
export const CommissioningMessage = z.object({
  /** The report's own text; the hash is of its UTF-8 bytes. */
  report: z.string().max(100_000),
  sha256: Sha256,
  who: z.string().max(128),
});
export type CommissioningMessage = z.infer<typeof CommissioningMessage>;

/** IoT Core: `CertificateMessage`, from a device that changes its certificate. */
export const certificateTopic = (thing: string): string => `coalmine/${thing}/certificate`;
/** IoT Core: `CertificateAnswer`, to it. */
export const certificateAnswerTopic = (thing: string): string => `coalmine/${thing}/certificate/answer`;

/** Asks for a certificate of a new key by its PKCS #10 request in PEM, or confirms that the device connects with it. */
export const CertificateMessage = z.discriminatedUnion("kind", [
  z.object({ version: z.literal(1), kind: z.literal("request"), request: z.string().max(4096) }),
  z.object({ version: z.literal(1), kind: z.literal("confirm") }),
]);
export type CertificateMessage = z.infer<typeof CertificateMessage>;

export const CertificateAnswer = z.object({
  version: z.literal(1),
  certificateId: z.string(),
  certificatePem: z.string(),
});
export type CertificateAnswer = z.infer<typeof CertificateAnswer>;

/** Of a report, what the record shows at a glance. */
export const ReportSummary = z.object({
  thing: ThingName,
  site: z.string(),
  finishedAt: z.string(),
  certificateId: z.string(),
  passed: z.boolean(),
  ports: z.array(z.object({ port: z.string(), passed: z.boolean(), sentence: z.string() })),
});
