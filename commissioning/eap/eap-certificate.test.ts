import { createPrivateKey, X509Certificate } from "node:crypto";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";
import { eapCertificate, type GivenCertificate } from "./eap-certificate.ts";
import {
  authorityPem,
  certificatePem,
  encryptedKeyPem,
  outdatedPkcs12,
  PASSWORD,
  pkcs12,
} from "./eap-certificate.fixture.ts";

const NOW = Date.UTC(2027, 0, 1);
const bytes = (text: string) => new TextEncoder().encode(text);
const read = (certificate: Uint8Array, more: Partial<GivenCertificate> = {}, now = NOW) =>
  eapCertificate({ certificate, key: undefined, password: undefined, authority: undefined, ...more }, now);
const openKey = createPrivateKey({ key: encryptedKeyPem, passphrase: PASSWORD })
  .export({ type: "pkcs8", format: "pem" })
  .toString();

test("one PKCS #12 file, or certificate and key in PEM or DER, in one file or two; a password is kept only where it opens something", () => {
  const password = PASSWORD;
  expect(read(pkcs12, { password })).toEqual({
    files: { "client.p12": pkcs12 },
    certificateFile: "client.p12",
    privateKeyFile: "client.p12",
    password,
  });
  const kept = { certificateFile: "client.pem", privateKeyFile: "client.key" };
  const key = bytes(encryptedKeyPem);
  const der = new X509Certificate(certificatePem).raw;
  for (const certificate of [bytes(certificatePem), der])
    expect(read(certificate, { key, password })).toMatchObject({
      ...kept,
      files: { "client.key": encryptedKeyPem },
      password,
    });
  expect(read(bytes(certificatePem + openKey + authorityPem), { password })).toEqual({
    ...kept,
    files: { "client.pem": certificatePem + authorityPem, "client.key": openKey },
    password: undefined,
  });
  expect(read(pkcs12, { password, authority: bytes(authorityPem) })).toMatchObject({
    files: { "authority.pem": authorityPem },
  });
});

test("what cannot work is told apart before a network is asked", async () => {
  const options = { random: new SeededRandom("other"), wallClock: systemClock };
  const other = (await CertificateAuthority.open(options)).keysAndCertificate();
  const certificate = bytes(certificatePem);
  const key = bytes(encryptedKeyPem);
  const password = PASSWORD;
  const problems: [ReturnType<typeof read>, string][] = [
    [read(bytes("a shopping list")), "unreadable"],
    [read(pkcs12), "wrong-password"],
    [read(pkcs12, { password: "sesame" }), "wrong-password"],
    [read(outdatedPkcs12, { password }), "outdated"],
    [read(certificate), "no-key"],
    [read(certificate, { key: bytes("no key") }), "unreadable"],
    [read(certificate, { key }), "wrong-password"],
    [read(certificate, { key, password: "sesame" }), "wrong-password"],
    [read(certificate, { key: bytes(other.privateKeyPem) }), "other-key"],
    [read(pkcs12, { password, authority: bytes("none") }), "no-authority"],
    [read(pkcs12, { password }, Date.UTC(2024, 0, 1)), "not-valid"],
    [read(certificate, { key, password }, Date.UTC(2100, 0, 1)), "not-valid"],
  ];
  for (const [found, kind] of problems) expect(found).toMatchObject({ kind });
});
