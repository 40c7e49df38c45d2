import { sign, verify, X509Certificate } from "node:crypto";
import { Sha256 } from "@coalmine/contract";
import * as z from "zod";
import { sha256 } from "./canonical-json.ts";

/** With one spelling of the same bytes, so that a changed sign is always another value. */
const base64 = z
  .string()
  .max(10_000)
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "base64 is needed");

/** What holds a report together: the hash of its text, and, where the device has an identity, its signature over that. */
export const Seal = z.strictObject({
  version: z.literal(1),
  sha256: Sha256,
  signature: z
    .strictObject({
      /** Over SHA-256, with the key of the certificate; ECDSA in DER. `openssl dgst -sha256 -verify` takes it. */
      value: base64,
      /** DER. */
      certificate: base64,
    })
    .optional(),
});
export type Seal = z.infer<typeof Seal>;

/** ECDSA takes chance: sealed again, the same text has another signature, which is as good. */
export function sealOf(
  text: string,
  device?: { readonly privateKeyPem: string; readonly certificatePem: string },
): Seal {
  const hashed = { version: 1 as const, sha256: Sha256.parse(sha256(text)) };
  if (device === undefined) return hashed;
  const value = sign("sha256", Buffer.from(text), device.privateKeyPem).toString("base64");
  const certificate = new X509Certificate(device.certificatePem).raw.toString("base64");
  return { ...hashed, signature: { value, certificate } };
}

/** By whom a text is signed: the id that AWS IoT gives the certificate. Undefined where the signature is not of this text. */
export function signerOf(text: string, { signature }: Seal): string | undefined {
  if (signature === undefined) return undefined;
  try {
    const certificate = new X509Certificate(Buffer.from(signature.certificate, "base64"));
    const isGood = verify(
      "sha256",
      Buffer.from(text),
      certificate.publicKey,
      Buffer.from(signature.value, "base64"),
    );
    // AWS IoT's id of a certificate is the hash of its DER.
    return isGood ? sha256(certificate.raw) : undefined;
  } catch {
    // No certificate, or a key of a kind that cannot sign: as good as no signature.
    return undefined;
  }
}
