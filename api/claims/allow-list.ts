import { createHash, X509Certificate } from "node:crypto";
import { ThingName } from "@coalmine/contract";
import type { WhyAnswer } from "@coalmine/contract/commissioning";
import * as z from "zod";
import { addHistory } from "../devices/history.ts";
import { activeCertificates, hasCounted } from "../devices/registry.ts";
import type { ClaimCloud } from "./claim-cloud.ts";
import { bindDevice, type ClaimRecord, noteRefusal, recordOfClaim } from "./claim-record.ts";

/** What AWS IoT tells of a device that asks for a thing, as far as it counts here. */
export const AllowRequest = z.object({
  claimCertificateId: z.string(),
  certificateId: z.string(),
  certificatePem: z.string(),
  parameters: z.record(z.string(), z.string()),
});
export type AllowRequest = z.infer<typeof AllowRequest>;

type Refusal = NonNullable<WhyAnswer["refusal"]>;

/**
 * Whether this device may become a thing: with a code, by the key that showed the code first, as the serial number,
 * hardware and site that the code is for, and as its only device. Why not is kept for the technician, since AWS IoT
 * tells the device nothing.
 */
export async function isAllowed(cloud: ClaimCloud, request: AllowRequest): Promise<boolean> {
  const record = await recordOfClaim(cloud, request.claimCertificateId);
  if (record === undefined) {
    cloud.log.warn("A claim that no code was exchanged for asked for a thing.", {
      claim: request.claimCertificateId,
    });
    return false;
  }
  const refusal = await refusalOf(cloud, record, request);
  if (refusal === undefined) return true;
  cloud.log.warn("The allow-list refused a device.", { code: record.id, reason: refusal.reason });
  await noteRefusal(cloud, record.id, refusal);
  return false;
}

async function refusalOf(
  cloud: ClaimCloud,
  record: ClaimRecord,
  { parameters, certificatePem, certificateId }: AllowRequest,
): Promise<Refusal | undefined> {
  const { allowed } = record;
  const { Site: site = "unknown", HardwareId: hardwareId = "unknown" } = parameters;
  const named = ThingName.safeParse(parameters["SerialNumber"]);
  if (!named.success)
    return refused("serial", "the device gives no serial number that a thing can have; correct its settings");
  const serial = named.data;
  if (allowed.serial !== undefined && allowed.serial !== serial)
    return refused(
      "serial",
      `the code is for the serial number ${allowed.serial}, this device says ${serial}; take the code of this device, or correct its serial number`,
    );
  if (allowed.site !== site)
    return refused(
      "site",
      `the code is for the site ${allowed.site}, this device says ${site}; correct the site, or ask for a code for ${site}`,
    );
  if (allowed.hardwareId !== undefined && allowed.hardwareId !== hardwareId)
    return refused(
      "hardware",
      `the code is for the hardware ${allowed.hardwareId}, this is ${hardwareId}; take the right machine, or ask for a code for this one`,
    );
  if (fingerprintOf(certificatePem) !== record.key)
    return refused(
      "key",
      "the certificate is for another key than the one that showed the code; begin anew with a new code",
    );
  const others = await activeCertificates(cloud, serial);
  if (others.length > 0)
    return refused(
      "serial",
      `${serial} is a device already; if this machine takes its place, have it swapped, and use the code of the swap`,
    );
  if (
    (record.certificateId !== undefined && (await hasCounted(cloud, record.certificateId))) ||
    !(await bindDevice(cloud, record.id, serial, certificateId))
  )
    return refused(
      "count",
      `the code is for one device and has made ${record.device ?? "another one"}; ask for a code for this one`,
    );
  await addHistory(cloud, serial, { kind: "allowed", code: record.id, site, hardwareId, certificateId });
  return undefined;
}

function refused(reason: Refusal["reason"], message: string): Refusal {
  return { reason, message };
}

/** SHA-256 of the public key (SubjectPublicKeyInfo, DER), in hexadecimal. */
function fingerprintOf(certificatePem: string): string {
  const key = new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("hex");
}
