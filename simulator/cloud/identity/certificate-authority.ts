import { randomBytes, webcrypto } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Instant, Random } from "@coalmine/ports";
import * as x509 from "@peculiar/x509";
import { ServiceError } from "../service.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 24 * 3600 * 1000;
/** What AWS IoT gives its own certificates. */
const FOREVER = Date.UTC(2049, 11, 31, 23, 59, 59);

export interface KeysAndCertificate {
  readonly certificatePem: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}
export interface Validity {
  readonly from: Instant;
  readonly until: Instant;
}

export interface AuthorityOptions {
  /** Where key and certificate are kept; without it they live as long as the process. */
  readonly folder?: string | undefined;
  readonly random: Random;
  /** TLS stacks know no other clock. */
  readonly wallClock: Clock;
  /** Marks real work in flight, so that a driven clock waits for it. */
  readonly busy?: (() => () => void) | undefined;
}

/** The local certificate authority: P-256, one self-signed root that signs servers and devices directly. */
export class CertificateAuthority {
  readonly certificatePem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;
  readonly #options: AuthorityOptions;

  private constructor(
    certificate: x509.X509Certificate,
    key: webcrypto.CryptoKey,
    options: AuthorityOptions,
  ) {
    this.#certificate = certificate;
    this.certificatePem = pem(certificate);
    this.#key = key;
    this.#options = options;
  }

  /** Opens the one in the folder, or makes it there. */
  static async open(options: AuthorityOptions): Promise<CertificateAuthority> {
    const { folder } = options;
    if (folder === undefined) return CertificateAuthority.#make(options);
    const keyPath = join(folder, "ca.key");
    const certificatePath = join(folder, "ca.pem");
    const kept = await Promise.all([readFile(certificatePath, "utf8"), readFile(keyPath, "utf8")]).catch(
      (failure: NodeJS.ErrnoException) => {
        if (failure.code === "ENOENT") return undefined;
        throw failure;
      },
    );
    if (kept !== undefined) {
      const [certificatePem, keyPem] = kept;
      const key = await webcrypto.subtle.importKey("pkcs8", fromPem(keyPem), algorithm, true, ["sign"]);
      return new CertificateAuthority(new x509.X509Certificate(certificatePem), key, options);
    }
    const made = await CertificateAuthority.#make(options);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // The certificate is written last: a key without one is overwritten, a certificate without its key never exists.
    await writeDurably(keyPath, await privatePem(made.#key), 0o600);
    await writeDurably(certificatePath, made.certificatePem, 0o644);
    return made;
  }

  static async #make(options: AuthorityOptions): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const now = options.wallClock.now();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(options.random),
      name: "CN=Coalmine local root",
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(FOREVER),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(certificate, keys.privateKey, options);
  }

  /** For the doors on loopback: one year, since a server makes itself a new one at each start. */
  async serverCertificate(): Promise<KeysAndCertificate> {
    const keys = await newKeys();
    const now = this.#options.wallClock.now();
    const certificatePem = await this.#sign(
      "CN=localhost",
      keys.publicKey,
      { from: now - DAY_MS, until: now + 365 * DAY_MS },
      [
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: "localhost" },
          { type: "ip", value: "127.0.0.1" },
          { type: "ip", value: "::1" },
        ]),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    );
    return exported(keys, certificatePem);
  }

  /** Signs what a device asks for, after its proof that it holds the key. */
  async signCsr(csrPem: string, validity: Validity = this.#long()): Promise<string> {
    const done = this.#options.busy?.();
    try {
      const request = readCsr(csrPem);
      if (!(await request.verify().catch(() => false)))
        throw invalidCsr("its signature does not fit its public key");
      return await this.#signDevice(request.publicKey, validity);
    } finally {
      done?.();
    }
  }

  async keysAndCertificate(validity: Validity = this.#long()): Promise<KeysAndCertificate> {
    const done = this.#options.busy?.();
    try {
      const keys = await newKeys();
      return await exported(keys, await this.#signDevice(keys.publicKey, validity));
    } finally {
      done?.();
    }
  }

  /** A certificate that any TLS door must refuse already. */
  expiredKeysAndCertificate(): Promise<KeysAndCertificate> {
    const now = this.#options.wallClock.now();
    return this.keysAndCertificate({ from: now - 30 * DAY_MS, until: now - DAY_MS });
  }

  #long(): Validity {
    return { from: this.#options.wallClock.now() - DAY_MS, until: FOREVER };
  }

  #signDevice(publicKey: x509.PublicKeyType, validity: Validity): Promise<string> {
    return this.#sign("CN=AWS IoT Certificate", publicKey, validity, [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ]);
  }

  async #sign(
    subject: string,
    publicKey: x509.PublicKeyType,
    validity: Validity,
    extensions: x509.Extension[],
  ): Promise<string> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(this.#options.random),
      subject,
      issuer: this.#certificate.subject,
      notBefore: new Date(validity.from),
      notAfter: new Date(validity.until),
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
        ...extensions,
      ],
    });
    return pem(certificate);
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function exported(keys: webcrypto.CryptoKeyPair, certificatePem: string): Promise<KeysAndCertificate> {
  const publicKey = await webcrypto.subtle.exportKey("spki", keys.publicKey);
  return {
    certificatePem,
    publicKeyPem: `${x509.PemConverter.encode(publicKey, "PUBLIC KEY")}\n`,
    privateKeyPem: await privatePem(keys.privateKey),
  };
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

function fromPem(text: string): ArrayBuffer {
  return x509.PemConverter.decodeFirst(text);
}

function readCsr(csrPem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(csrPem);
  } catch {
    throw invalidCsr("it cannot be read: give one PKCS #10 request as PEM");
  }
}

function invalidCsr(why: string): ServiceError {
  return new ServiceError(
    "InvalidRequestException",
    400,
    `The certificate signing request is refused: ${why}.`,
  );
}

/** 16 bytes, positive and not zero. */
function serial(random: Random): string {
  const bytes = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random.next() * 256)));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A secret of so many characters out of the operating system's chance. */
export function secret(characters: number): string {
  return randomBytes(characters).toString("base64url").slice(0, characters);
}
