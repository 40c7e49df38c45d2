import { X509Certificate } from "node:crypto";
import { type CertificateMessage, certificateTopic } from "@coalmine/contract/commissioning";
import type { Clock } from "@coalmine/ports";
import { type DurableFiles, modes } from "../durable-files.ts";
import type { IotConnection, IotConnector } from "../iot-connection.ts";
import type { Places } from "../places.ts";
import { CommissioningRefused } from "../refusal.ts";
import { type Pair, requestCertificate } from "./request-certificate.ts";

const DAY_MS = 86_400_000;
/** However young it is, a certificate is changed so long before its end. */
const BEFORE_END_MS = 30 * DAY_MS;

export interface RotationParts {
  readonly thing: string;
  readonly places: Pick<
    Places,
    "privateKey" | "certificate" | "rootCa" | "nextPrivateKey" | "nextCertificate"
  >;
  readonly iot: IotConnector;
  readonly clock: Clock;
  readonly files: DurableFiles & { readonly read: (path: string) => Promise<string | undefined> };
  /** The core device, which reads key and certificate when it starts. */
  readonly core: { readonly stop: () => Promise<void>; readonly start: () => Promise<void> };
}

export type Rotated =
  | { readonly kind: "not-commissioned" }
  | { readonly kind: "not-due"; readonly dueMs: number }
  | { readonly kind: "changed"; readonly certificateId: string };

/**
 * Changes the device's certificate where it is older than `when` says, or now. AWS IoT tells by the client's id whose topics they
 * are, and takes one client of an id: so the core device is stopped meanwhile, for seconds; what is measured waits in the
 * instrument. The new one has connected before the old one's files are replaced, and both new files are kept beside until
 * the old one may go: cut anywhere, the next run goes on, also where it finds the key of one and the certificate of the other.
 */
export async function rotate(
  parts: RotationParts,
  when: { readonly afterDays: number } | "now",
): Promise<Rotated> {
  const { places, files, clock, core } = parts;
  const begun = await pairIn(parts, places.nextPrivateKey, places.nextCertificate);
  const current = await pairIn(parts, places.privateKey, places.certificate);
  if (current === undefined) return { kind: "not-commissioned" };
  if (begun === undefined && when !== "now") {
    const dueMs = dueOf(current.certificatePem, when.afterDays);
    if (clock.now() < dueMs) return { kind: "not-due", dueMs };
  }
  await core.stop();
  let next: Pair;
  try {
    next = await changed(parts, current, begun);
  } finally {
    // With whichever certificate its files hold.
    await core.start();
  }
  // The certificate first: without it there is nothing to go on with.
  for (const path of [places.nextCertificate, places.nextPrivateKey]) await files.erase(path);
  return { kind: "changed", certificateId: idOf(next.certificatePem) };
}

async function changed(parts: RotationParts, current: Pair, begun: Pair | undefined): Promise<Pair> {
  const { thing, places, files } = parts;
  const { next, connection } = await connectedByNext(parts, current, begun);
  try {
    await files.write(places.privateKey, next.privateKeyPem, modes.privateKey);
    await files.write(places.certificate, next.certificatePem, modes.certificate);
    const confirm: CertificateMessage = { version: 1, kind: "confirm" };
    await connection.publish(certificateTopic(thing), JSON.stringify(confirm));
  } finally {
    await connection.close();
  }
  return next;
}

/** AWS IoT's certificates count until 2049: their age says when they are changed. */
export function dueOf(certificatePem: string, afterDays: number): number {
  const { validFromDate, validToDate } = new X509Certificate(certificatePem);
  return Math.min(validFromDate.getTime() + afterDays * DAY_MS, validToDate.getTime() - BEFORE_END_MS);
}

/** As AWS IoT names it. */
export function idOf(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256.replaceAll(":", "").toLowerCase();
}

async function connectedByNext(
  parts: RotationParts,
  current: Pair,
  begun: Pair | undefined,
): Promise<{ next: Pair; connection: IotConnection }> {
  if (begun !== undefined) {
    const connection = await connect(parts, begun).catch((failure: unknown) => {
      // It does not count (any more): one is asked for anew. Not where the former key is gone: this pair is all there is.
      const isFree = current.privateKeyPem !== begun.privateKeyPem;
      if (isFree && failure instanceof CommissioningRefused && failure.reason === "claim-refused")
        return undefined;
      throw failure;
    });
    if (connection !== undefined) return { next: begun, connection };
    // Before another key is beside it.
    await parts.files.erase(parts.places.nextCertificate);
  }
  const next = await askedFor(parts, current);
  return { next, connection: await connect(parts, next) };
}

async function askedFor(parts: RotationParts, current: Pair): Promise<Pair> {
  const { thing, places, files, clock } = parts;
  const connection = await connect(parts, current);
  try {
    const next = await requestCertificate(thing, connection, clock);
    await files.write(places.nextPrivateKey, next.privateKeyPem, modes.privateKey);
    await files.write(places.nextCertificate, next.certificatePem, modes.certificate);
    return next;
  } finally {
    await connection.close();
  }
}

async function connect({ thing, places, iot, files }: RotationParts, pair: Pair): Promise<IotConnection> {
  const rootCaPem = (await files.read(places.rootCa)) ?? "";
  return iot.connect({ clientId: thing, ...pair, rootCaPem, whose: "device" });
}

/** Nothing where one is missing. Those that count may be of two pairs after a cut: then the next ones are there. */
async function pairIn(
  { files }: RotationParts,
  privateKey: string,
  certificate: string,
): Promise<Pair | undefined> {
  const privateKeyPem = await files.read(privateKey);
  const certificatePem = await files.read(certificate);
  if (privateKeyPem === undefined || certificatePem === undefined) return undefined;
  return { privateKeyPem, certificatePem };
}
