import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { ServiceError } from "../service.ts";
import { derItems } from "./der.ts";

const REQUEST_BYTES_MAX = 8 * 1024;
/** The signatures that AWS IoT takes under a request, by the DER of their OID. */
const hashes: Readonly<Record<string, string>> = {
  "06082a8648ce3d040302": "sha256",
  "06082a8648ce3d040303": "sha384",
  "06082a8648ce3d040304": "sha512",
  "06092a864886f70d01010b": "sha256",
  "06092a864886f70d01010c": "sha384",
  "06092a864886f70d01010d": "sha512",
};

/** The public key of a PKCS #10 request, after its proof that the requester holds the private one. */
export function keyOfSigningRequest(csrPem: string): KeyObject {
  if (csrPem.length > REQUEST_BYTES_MAX) throw refused("it is too long");
  const base64 = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\sA-Za-z0-9+/=]+)-----END/.exec(csrPem)?.[1];
  if (base64 === undefined) throw refused("give one PKCS #10 request as PEM");
  const { key, isSigned } = read(Buffer.from(base64, "base64"));
  if (!isSigned) throw refused("its signature does not fit its public key");
  const type = key.asymmetricKeyType;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  const isTaken =
    (type === "rsa" && bits >= 2048) || (type === "ec" && /^(?:prime256v1|secp384r1|secp521r1)$/.test(curve));
  if (!isTaken)
    throw refused("its key must be RSA of 2048 bits or more, or on the curve P-256, P-384 or P-521");
  return key;
}

function read(bytes: Buffer): { key: KeyObject; isSigned: boolean } {
  try {
    const [request] = derItems(bytes);
    const [info, algorithm, signature] = derItems(request?.content ?? Buffer.alloc(0));
    const [, , publicKey] = derItems(info?.content ?? Buffer.alloc(0));
    const [oid] = derItems(algorithm?.content ?? Buffer.alloc(0));
    const hash = hashes[oid?.whole.toString("hex") ?? ""];
    if (info === undefined || publicKey === undefined || signature === undefined || hash === undefined)
      throw new RangeError("a part is missing");
    const key = createPublicKey({ key: publicKey.whole, format: "der", type: "spki" });
    // A bit string begins with the number of its unused bits: none.
    return { key, isSigned: verify(hash, info.whole, key, signature.content.subarray(1)) };
  } catch {
    throw refused("it cannot be read");
  }
}

function refused(why: string): ServiceError {
  return new ServiceError(
    "InvalidRequestException",
    400,
    `The certificate signing request is refused: ${why}.`,
  );
}
