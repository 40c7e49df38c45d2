import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { type Envelope, opened, readEnvelope, signed } from "./envelope.ts";
import { keyIdOf, readSigners, signersOf, type Signers } from "./signers.ts";
import { makeSigningKey, publicHalf, readSigningKey } from "./signing-key.ts";

const folder = mkdtempSync(join(tmpdir(), "coalmine-keys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const p256 = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
const ed25519 = generateKeyPairSync("ed25519").privateKey;
const trusted = (...keys: KeyObject[]): Signers =>
  readSigners(
    JSON.stringify({
      version: 1,
      signers: keys.map((key) => ({ who: "a test", publicKey: publicHalf(key) })),
    }),
    "a test",
  );
const STATEMENT = '{"what":"a statement of 1.0.0"}';

test.each([
  ["Ed25519", ed25519],
  ["ECDSA on P-256", p256],
])("what a trusted %s key has signed is opened, and no other", (_, key) => {
  const envelope = readEnvelope(JSON.stringify(signed(STATEMENT, key)), "it");
  expect(opened(envelope, trusted(key), "it")).toBe(STATEMENT);
  const other = generateKeyPairSync("ed25519").privateKey;
  expect(() => opened(envelope, trusted(other), "it")).toThrow(/none of these keys is trusted/);
  // Another key that says it is the trusted one.
  const [first] = envelope.signatures;
  const posing = signed(STATEMENT, other).signatures.map(({ sig }) => ({ keyid: first?.keyid ?? "", sig }));
  expect(() => opened({ ...envelope, signatures: posing }, trusted(key), "it")).toThrow(
    /is not of these bytes/,
  );
});

test("one changed bit of the statement or of the signature is refused, wherever it is", () => {
  const envelope = signed(STATEMENT, ed25519);
  const flip = (base64: string, at: number): string => {
    const bytes = Buffer.from(base64, "base64");
    bytes[Math.floor(at / 8)] = (bytes[Math.floor(at / 8)] ?? 0) ^ (1 << (at % 8));
    return bytes.toString("base64");
  };
  const [{ keyid, sig }] = envelope.signatures as [Envelope["signatures"][number]];
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(Buffer.byteLength(STATEMENT) * 8 - 1),
      fc.nat(511),
      (isPayload, p, s) => {
        const changed = isPayload
          ? { ...envelope, payload: flip(envelope.payload, p) }
          : { ...envelope, signatures: [{ keyid, sig: flip(sig, s) }] };
        expect(() => opened(changed, trusted(ed25519), "it")).toThrow(/is not of these bytes/);
      },
    ),
    { numRuns: 30 },
  );
});

test("it is signed as DSSE says: the type and its length are under the signature with the payload", () => {
  const type = "application/vnd.in-toto+json";
  const bytes = Buffer.from(`DSSEv1 ${type.length} ${type} ${STATEMENT.length} ${STATEMENT}`);
  const [first] = signed(STATEMENT, ed25519).signatures;
  // Ed25519 has one signature for one text.
  expect(first?.sig).toBe(sign(null, bytes, ed25519).toString("base64"));
  expect(() =>
    readEnvelope(JSON.stringify({ ...signed(STATEMENT, ed25519), payloadType: "text/plain" }), "it"),
  ).toThrow(/no DSSE envelope/);
});

test("a key is made for its owner alone; one that others may read is refused, and so is one of another kind", () => {
  const file = join(folder, "signing.pem");
  const publicKey = makeSigningKey(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(publicHalf(readSigningKey(file))).toBe(publicKey);
  expect(() => makeSigningKey(file)).toThrow(/name a file that is not there yet/);
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file, mode);
    expect(() => readSigningKey(file)).toThrow(
      new RegExp(`has the mode ${mode.toString(8)}, so others may have the key`),
    );
  }
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const other = join(folder, "rsa.pem");
  writeFileSync(other, rsa.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  expect(() => readSigningKey(other)).toThrow(/a key of the kind rsa; take Ed25519 or ECDSA on P-256/);
  expect(() => readSigningKey(join(folder, "nowhere"))).toThrow(/make one with `coalmine component key/);
});

test("who is trusted is said in the environment, as a list or as its file; nothing said is nothing demanded, and nonsense is refused", () => {
  const list = JSON.stringify({ version: 1, signers: [{ who: "ada", publicKey: publicHalf(p256) }] });
  const file = join(folder, "signers.json");
  writeFileSync(file, list);
  expect(signersOf({})).toBeUndefined();
  for (const given of [list, file])
    expect([...(signersOf({ COALMINE_SIGNERS: given })?.keys() ?? [])]).toEqual([keyIdOf(p256)]);
  for (const given of ["", "{}", join(folder, "nowhere"), '{"version":1,"signers":[]}'])
    expect(() => signersOf({ COALMINE_SIGNERS: given })).toThrow(/trusted keys/);
});
