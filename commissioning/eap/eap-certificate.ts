import { createPrivateKey, X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { messageOf } from "@coalmine/runtime";

/** What the local IT has given for 802.1X: a PKCS #12 file, or a certificate and its key. */
export interface GivenCertificate {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array | undefined;
  readonly password: string | undefined;
  /** By which the device knows the network's server. */
  readonly authority: Uint8Array | undefined;
}

/** What is kept of it, by the names of its files. */
export interface EapCertificate {
  readonly files: Readonly<Partial<Record<EapFileName, string | Uint8Array>>>;
  readonly certificateFile: EapFileName;
  readonly privateKeyFile: EapFileName;
  /** Only where it opens something. */
  readonly password: string | undefined;
}
export type EapFileName = "client.p12" | "client.pem" | "client.key" | "authority.pem";

export type CertificateProblem =
  | { readonly kind: "unreadable" | "no-key" | "wrong-password" | "outdated" | "other-key" | "no-authority" }
  | { readonly kind: "not-valid"; readonly from: Date; readonly until: Date };

/**
 * Looks at what was given before a network is asked: a network only says no, half a minute later. `now` is the device's
 * time, in ms.
 */
export function eapCertificate(given: GivenCertificate, now: number): EapCertificate | CertificateProblem {
  const { authority } = given;
  const trusted = authority === undefined ? undefined : pemCertificate(authority);
  if (authority !== undefined && trusted === undefined) return { kind: "no-authority" };
  const own = pemCertificate(given.certificate) === undefined ? pkcs12(given) : certificateAndKey(given);
  if ("kind" in own) return own;
  const { validFromDate: from, validToDate: until } = own.certificate;
  if (now < from.getTime() || now > until.getTime()) return { kind: "not-valid", from, until };
  return { ...own.kept, files: { ...own.kept.files, ...(trusted && { "authority.pem": trusted }) } };
}

type Own = { readonly certificate: X509Certificate; readonly kept: EapCertificate } | CertificateProblem;

function pkcs12({ certificate: pfx, password }: GivenCertificate): Own {
  try {
    const secureContext = createSecureContext({ pfx: Buffer.from(pfx), passphrase: password });
    const certificate = new TLSSocket(new Duplex(), { secureContext }).getX509Certificate();
    if (certificate === undefined) return { kind: "no-key" };
    const file = "client.p12";
    return {
      certificate,
      kept: { files: { [file]: pfx }, certificateFile: file, privateKeyFile: file, password },
    };
  } catch (failure) {
    if (messageOf(failure).includes("mac verify failure")) return { kind: "wrong-password" };
    // RC2, as Windows and OpenSSL 1 wrote it: no supplicant of today opens that.
    if (/unsupported/i.test(messageOf(failure))) return { kind: "outdated" };
    return { kind: "unreadable" };
  }
}

function certificateAndKey({ certificate: given, key, password }: GivenCertificate): Own {
  const pem = pemCertificate(given) ?? "";
  const certificate = new X509Certificate(pem);
  const keyPem = privateKeyIn(key ?? given);
  if (keyPem === undefined) return { kind: key === undefined ? "no-key" : "unreadable" };
  const isEncrypted = keyPem.includes("ENCRYPTED");
  try {
    const passphrase = isEncrypted ? (password ?? "") : undefined;
    if (!certificate.checkPrivateKey(createPrivateKey({ key: keyPem, passphrase })))
      return { kind: "other-key" };
  } catch {
    return { kind: isEncrypted ? "wrong-password" : "unreadable" };
  }
  return {
    certificate,
    kept: {
      files: { "client.pem": pem, "client.key": keyPem },
      certificateFile: "client.pem",
      privateKeyFile: "client.key",
      password: isEncrypted ? password : undefined,
    },
  };
}

/** Whether PEM or DER came, as PEM: the certificate with whatever certificates stand behind it. */
function pemCertificate(bytes: Uint8Array): string | undefined {
  try {
    const first = new X509Certificate(bytes).toString();
    const all = textOf(bytes).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    return all === null ? first : `${all.join("\n")}\n`;
  } catch {
    return undefined;
  }
}

function privateKeyIn(bytes: Uint8Array): string | undefined {
  const [pem] =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]+?-----END [A-Z ]*PRIVATE KEY-----/.exec(textOf(bytes)) ?? [];
  return pem === undefined ? undefined : `${pem}\n`;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
