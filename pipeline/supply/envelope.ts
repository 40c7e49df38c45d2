import { sign, verify, type KeyObject } from "node:crypto";
import * as z from "zod";
import { SupplyError } from "./supply-error.ts";
import { keyIdOf, type Signers } from "./signers.ts";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
/** A statement has some kilobytes; who brings more brings something else. */
const TEXT_CHARACTERS_MAX = 1024 * 1024;
const Base64 = z.base64();

/** A DSSE envelope. @see https://github.com/secure-systems-lab/dsse */
export const Envelope = z.object({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: Base64,
  signatures: z
    .array(z.object({ keyid: z.string(), sig: Base64 }))
    .min(1)
    .max(10),
});
export type Envelope = z.infer<typeof Envelope>;

/** Signs a statement; one that was signed before keeps its other signatures. */
export function signed(statement: string, key: KeyObject, before?: Envelope): Envelope {
  const payload = Buffer.from(statement).toString("base64");
  const keyid = keyIdOf(key);
  const sig = sign(algorithmOf(key), authenticated(statement), key).toString("base64");
  const others = before?.payload === payload ? before.signatures.filter((each) => each.keyid !== keyid) : [];
  return { payloadType: PAYLOAD_TYPE, payload, signatures: [...others, { keyid, sig }] };
}

export function readEnvelope(text: string, what: string): Envelope {
  try {
    if (text.length > TEXT_CHARACTERS_MAX) throw new Error(`it has ${text.length} characters`);
    return Envelope.parse(JSON.parse(text));
  } catch (failure) {
    throw new SupplyError(
      "ERR_SUPPLY_SIGNATURE",
      `the signature of ${what} is no DSSE envelope; sign it again with \`coalmine component sign\``,
      { cause: failure },
    );
  }
}

/** The signed text, once a trusted key has signed it. */
export function opened(envelope: Envelope, signers: Signers, what: string): string {
  const text = Buffer.from(envelope.payload, "base64").toString("utf8");
  const known = envelope.signatures.filter(({ keyid }) => signers.has(keyid));
  if (known.length === 0)
    throw new SupplyError(
      "ERR_SUPPLY_SIGNATURE",
      `${what} is signed by ${envelope.signatures.map(({ keyid }) => keyid.slice(0, 16)).join(", ")}, and none of these keys is trusted; sign it with a trusted one`,
    );
  // The id only says which key to try: it is not signed itself.
  const isGood = known.some(({ keyid, sig }) => {
    const key = signers.get(keyid);
    return (
      key !== undefined && verify(algorithmOf(key), authenticated(text), key, Buffer.from(sig, "base64"))
    );
  });
  if (!isGood)
    throw new SupplyError(
      "ERR_SUPPLY_SIGNATURE",
      `the signature of ${what} is not of these bytes: they were changed after it was signed, or it was made up; do not deploy it`,
    );
  return text;
}

/** What is signed: the type and the payload, with their lengths, so that neither can pass for part of the other. */
function authenticated(payload: string): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${bytes.length} `),
    bytes,
  ]);
}

function algorithmOf(key: KeyObject): "sha256" | null {
  return key.asymmetricKeyType === "ec" ? "sha256" : null;
}
