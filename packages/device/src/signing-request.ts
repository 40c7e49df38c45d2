import { generateKeyPairSync, sign } from "node:crypto";

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
/** Context tag 0, constructed: the attributes, of which there are none. */
const ATTRIBUTES = 0xa0;

/** Object identifiers as DER has them: 2.5.4.3 and 1.2.840.10045.4.3.2. */
const COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03);
const ECDSA_WITH_SHA256 = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);

/**
 * A P-256 key pair made here, and the request for its certificate, both PEM. The private key never leaves the device.
 * @see https://www.rfc-editor.org/rfc/rfc2986 PKCS #10
 */
export function newSigningRequest(commonName: string): {
  readonly privateKey: string;
  readonly request: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = element(
    SEQUENCE,
    element(OBJECT_IDENTIFIER, COMMON_NAME),
    element(UTF8_STRING, Buffer.from(commonName)),
  );
  const information = element(
    SEQUENCE,
    element(INTEGER, Uint8Array.of(0)),
    element(SEQUENCE, element(SET, name)),
    publicKey.export({ format: "der", type: "spki" }),
    element(ATTRIBUTES),
  );
  const signature = element(BIT_STRING, Uint8Array.of(0), sign("sha256", information, privateKey));
  const algorithm = element(SEQUENCE, element(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const lines =
    element(SEQUENCE, information, algorithm, signature)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return {
    privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    request: ["-----BEGIN CERTIFICATE REQUEST-----", ...lines, "-----END CERTIFICATE REQUEST-----", ""].join(
      "\n",
    ),
  };
}

/** Tag, length, contents; lengths in the short form or with one or two bytes, which is all a request needs. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), body]);
}
