import { generateKeyPairSync, sign } from "node:crypto";
import { der } from "../../cloud/identity/der.ts";

const COMMON_NAME = "2.5.4.3";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** A key pair made here, and the PKCS #10 request for its certificate. The private key never leaves the device. */
export function certificateRequest(commonName: string): {
  readonly privateKey: string;
  readonly csr: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const version = der.integer(Uint8Array.of(0));
  const subject = der.sequence(der.set(der.sequence(der.oid(COMMON_NAME), der.utf8(commonName))));
  const key = publicKey.export({ format: "der", type: "spki" });
  const noAttributes = der.context(0, new Uint8Array(0), "constructed");
  const information = der.sequence(version, subject, key, noAttributes);
  const signature = der.bitString(sign("sha256", information, privateKey));
  const request = der.sequence(information, der.sequence(der.oid(ECDSA_WITH_SHA256)), signature);
  const lines = request.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    csr: ["-----BEGIN CERTIFICATE REQUEST-----", ...lines, "-----END CERTIFICATE REQUEST-----", ""].join(
      "\n",
    ),
  };
}
