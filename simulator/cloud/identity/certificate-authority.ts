import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Instant, Random } from "@coalmine/ports";
import { der } from "./der.ts";
import { keyOfSigningRequest } from "./signing-request.ts";

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
  /** Who its certificates say has issued them. */
  readonly name?: string | undefined;
}

/**
 * The local certificate authority: P-256, one self-signed root that signs servers and devices directly. Signing is
 * synchronous, so that on a driven clock no order depends on it.
 */
export class CertificateAuthority {
  readonly certificatePem: string;
  readonly #name: Buffer;
  readonly #key: KeyObject;
  readonly #random: Random;
  readonly #wallClock: Clock;

  private constructor(options: AuthorityOptions, key: KeyObject, certificatePem?: string) {
    this.#name = commonName(options.name ?? "Coalmine local root");
    this.#key = key;
    this.#random = options.random;
    this.#wallClock = options.wallClock;
    this.certificatePem =
      certificatePem ??
      this.#sign(this.#name, createPublicKey(key), this.#long(), [
        extension("2.5.29.19", der.sequence(der.boolean(true), der.integer(Buffer.from([0]))), true),
        extension("2.5.29.15", der.bitString(Buffer.from([0b0000_0110]), 1), true),
      ]);
  }

  /** Opens the one in the folder, or makes it there. */
  static async open(options: AuthorityOptions): Promise<CertificateAuthority> {
    const { folder } = options;
    const made = (): CertificateAuthority => new CertificateAuthority(options, newKey());
    if (folder === undefined) return made();
    const keyPath = join(folder, "ca.key");
    const certificatePath = join(folder, "ca.pem");
    const certificatePem = await readIfThere(certificatePath);
    if (certificatePem !== undefined) {
      const key = createPrivateKey(await readFile(keyPath, "utf8"));
      if (!new X509Certificate(certificatePem).checkPrivateKey(key))
        throw new Error(
          `${keyPath} is not the key of ${certificatePath}: remove both, devices must then be provisioned anew`,
        );
      return new CertificateAuthority(options, key, certificatePem);
    }
    const authority = made();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // The certificate is written last: a key without one is overwritten, a certificate without its key never exists.
    await writeDurably(keyPath, privatePem(authority.#key), 0o600);
    await writeDurably(certificatePath, authority.certificatePem, 0o644);
    return authority;
  }

  /** For the doors on loopback, by whatever name: one year, since a server makes itself a new one at each start. */
  serverCertificate(name = "localhost"): KeysAndCertificate {
    const key = newKey();
    const now = this.#wallClock.now();
    const validity = { from: now - DAY_MS, until: now + 365 * DAY_MS };
    const loopback6 = Buffer.from([...Array<number>(15).fill(0), 1]);
    const names = der.sequence(
      der.context(2, Buffer.from(name), "simple"),
      der.context(7, Buffer.from([127, 0, 0, 1]), "simple"),
      der.context(7, loopback6, "simple"),
    );
    const certificatePem = this.#sign(commonName(name), createPublicKey(key), validity, [
      extension("2.5.29.17", names),
      ...endEntity("1.3.6.1.5.5.7.3.1"),
    ]);
    return exported(key, certificatePem);
  }

  /** Signs what a device asks for, after its proof that it holds the key. */
  signCsr(csrPem: string, validity: Validity = this.#long()): string {
    return this.#signDevice(keyOfSigningRequest(csrPem), validity);
  }

  keysAndCertificate(validity: Validity = this.#long()): KeysAndCertificate {
    const key = newKey();
    return exported(key, this.#signDevice(createPublicKey(key), validity));
  }

  /** A certificate that any TLS door must refuse already. */
  expiredKeysAndCertificate(): KeysAndCertificate {
    const now = this.#wallClock.now();
    return this.keysAndCertificate({ from: now - 30 * DAY_MS, until: now - DAY_MS });
  }

  #long(): Validity {
    return { from: this.#wallClock.now() - DAY_MS, until: FOREVER };
  }

  #signDevice(publicKey: KeyObject, validity: Validity): string {
    return this.#sign(commonName("AWS IoT Certificate"), publicKey, validity, endEntity("1.3.6.1.5.5.7.3.2"));
  }

  /** An X.509 version 3 certificate (RFC 5280, 4.1). */
  #sign(subject: Buffer, publicKey: KeyObject, validity: Validity, extensions: readonly Buffer[]): string {
    const algorithm = der.sequence(der.oid("1.2.840.10045.4.3.2"));
    const authorityKeyId = der.sequence(der.context(0, keyId(createPublicKey(this.#key)), "simple"));
    const body = der.sequence(
      der.context(0, der.integer(Buffer.from([2])), "constructed"),
      der.integer(this.#serial()),
      algorithm,
      this.#name,
      der.sequence(der.time(validity.from), der.time(validity.until)),
      subject,
      spki(publicKey),
      der.context(
        3,
        der.sequence(
          ...extensions,
          extension("2.5.29.14", der.octetString(keyId(publicKey))),
          extension("2.5.29.35", authorityKeyId),
        ),
        "constructed",
      ),
    );
    const signature = sign("sha256", body, this.#key);
    return pem(der.sequence(body, algorithm, der.bitString(signature)));
  }

  /** 16 bytes, positive and not zero. */
  #serial(): Buffer {
    const bytes = Buffer.from(Array.from({ length: 16 }, () => Math.floor(this.#random.next() * 256)));
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
    return bytes;
  }
}

function commonName(text: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid("2.5.4.3"), der.utf8(text))));
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
}

/** Basic constraints (no authority), key usage (digital signature), and what for. */
function endEntity(purpose: string): Buffer[] {
  return [
    extension("2.5.29.19", der.sequence(), true),
    extension("2.5.29.15", der.bitString(Buffer.from([0b1000_0000]), 7), true),
    extension("2.5.29.37", der.sequence(der.oid(purpose))),
  ];
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function exported(key: KeyObject, certificatePem: string): KeysAndCertificate {
  return {
    certificatePem,
    publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
    privateKeyPem: privatePem(key),
  };
}

function privatePem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

function keyId(key: KeyObject): Buffer {
  return createHash("sha1").update(spki(key)).digest();
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((failure: NodeJS.ErrnoException) => {
    if (failure.code === "ENOENT") return undefined;
    throw failure;
  });
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
