import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Clock } from "@coalmine/ports";
import type { Iot } from "../iot/iot.ts";

/** A device, as its certificate says. */
export interface Device {
  readonly certificateId: string;
  /** Where the certificate belongs to exactly one thing. */
  readonly thingName: string | undefined;
}

/**
 * Who is at the other end of a TLS connection, or why nobody is. TLS has proved that the client holds the key; whether
 * AWS IoT knows the certificate, and whether it counts today, is asked here, since it need not come from our authority.
 */
export function deviceOf(
  socket: TLSSocket,
  iot: Iot,
  wallClock: Clock,
): Device | { readonly refused: string } {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { refused: "the client showed no certificate" };
  const certificateId = createHash("sha256").update(certificate.raw).digest("hex");
  const now = wallClock.now();
  if (now > certificate.validToDate.getTime())
    return { refused: `certificate ${certificateId} expired on ${certificate.validTo}` };
  if (now < certificate.validFromDate.getTime())
    return { refused: `certificate ${certificateId} is not valid before ${certificate.validFrom}` };
  if (iot.certificates.certificates.get(certificateId) === undefined)
    return { refused: `certificate ${certificateId} is not registered` };
  if (!iot.certificates.isActive(certificateId))
    return { refused: `certificate ${certificateId} is not active` };
  const things = iot.things.principals.leftOf(certificateId);
  return { certificateId, thingName: things.length === 1 ? things[0] : undefined };
}
