import { createHash, X509Certificate } from "node:crypto";
import type { Clock } from "@coalmine/ports";
import { type Place, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { iotArn } from "./arn.ts";
import { invalid, notFound } from "./operation.ts";

export const certificateStatuses = ["ACTIVE", "INACTIVE", "PENDING_ACTIVATION", "REVOKED"] as const;
export type CertificateStatus = (typeof certificateStatuses)[number];

export interface Certificate {
  readonly certificateId: string;
  /** Absent for a device in this process, which has no TLS and proves nothing. */
  readonly certificatePem: string | undefined;
  readonly status: CertificateStatus;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** The certificates that AWS IoT knows. Which of them are whose is `Things.principals`. */
export class Certificates {
  readonly place: Place;
  readonly certificates: Table<Certificate>;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #cuts: ((certificateId: string) => void)[] = [];

  constructor(options: {
    readonly place: Place;
    readonly store: Store;
    readonly clock: Clock;
    readonly changed: () => void;
  }) {
    this.place = options.place;
    this.#clock = options.clock;
    this.#changed = options.changed;
    this.certificates = options.store.table("iot-certificates");
  }

  arn(certificateId: string): string {
    return iotArn(this.place, "cert", certificateId);
  }

  certificate(certificateId: string): Certificate {
    const certificate = this.certificates.get(certificateId);
    if (certificate === undefined) throw notFound(`Certificate ${certificateId}`);
    return certificate;
  }

  isActive(certificateId: string): boolean {
    return this.certificates.get(certificateId)?.status === "ACTIVE";
  }

  register(certificatePem: string, status: CertificateStatus): Certificate {
    const certificateId = certificateIdOf(certificatePem);
    if (this.certificates.get(certificateId) !== undefined)
      throw new ServiceError(
        "ResourceAlreadyExistsException",
        409,
        "The certificate is already registered.",
        {
          resourceId: certificateId,
          resourceArn: this.arn(certificateId),
        },
      );
    return this.#put(certificateId, certificatePem, status);
  }

  /** Gives a device of this process a principal to hang policies on. The id follows from the name alone. */
  registerInProcess(name: string): Certificate {
    const certificateId = createHash("sha256").update(`in-process\n${name}`).digest("hex");
    return this.certificates.get(certificateId) ?? this.#put(certificateId, undefined, "ACTIVE");
  }

  setStatus(certificateId: string, status: CertificateStatus): void {
    const certificate = this.certificate(certificateId);
    if (certificate.status === "REVOKED" && status !== "REVOKED")
      throw new ServiceError("CertificateStateException", 406, "A revoked certificate stays revoked.");
    this.certificates.set(certificateId, { ...certificate, status, modifiedAt: this.#clock.now() });
    this.#changed();
    if (status !== "ACTIVE") for (const cut of this.#cuts) cut(certificateId);
  }

  delete(certificateId: string): void {
    if (this.certificate(certificateId).status === "ACTIVE")
      throw new ServiceError(
        "CertificateStateException",
        406,
        "An active certificate cannot be deleted: deactivate it.",
      );
    this.certificates.delete(certificateId);
    this.#changed();
  }

  /** Told when a certificate stops to count, so that what it opened is closed. */
  onCut(cut: (certificateId: string) => void): void {
    this.#cuts.push(cut);
  }

  #put(certificateId: string, certificatePem: string | undefined, status: CertificateStatus): Certificate {
    const now = this.#clock.now();
    const certificate = { certificateId, certificatePem, status, createdAt: now, modifiedAt: now };
    this.certificates.set(certificateId, certificate);
    this.#changed();
    return certificate;
  }
}

/** SHA-256 of the certificate's DER, in lower-case hexadecimal: AWS IoT's name for it. */
export function certificateIdOf(certificatePem: string): string {
  try {
    return createHash("sha256").update(new X509Certificate(certificatePem).raw).digest("hex");
  } catch {
    throw invalid("The certificate cannot be read: give one X.509 certificate as PEM.");
  }
}
