import {
  DescribeCertificateCommand,
  ListThingPrincipalsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-iot";
import type { ClaimCloud } from "../claims/claim-cloud.ts";

/** Ids of the certificates of a thing; of none where there is no such thing. */
export async function certificatesOf({ iot }: Pick<ClaimCloud, "iot">, thingName: string): Promise<string[]> {
  const found = await unlessMissing(iot.send(new ListThingPrincipalsCommand({ thingName })));
  return (found?.principals ?? []).flatMap((arn) => /:cert\/([0-9a-f]+)$/.exec(arn)?.[1] ?? []);
}

/** `ACTIVE`, `REVOKED`, …; undefined where there is no such certificate. */
export async function statusOf(
  { iot }: Pick<ClaimCloud, "iot">,
  certificateId: string,
): Promise<string | undefined> {
  const found = await unlessMissing(iot.send(new DescribeCertificateCommand({ certificateId })));
  return found?.certificateDescription?.status;
}

/** Whether it is, or was, a device's: one that no template has activated is deleted, or waits to be. */
export async function hasCounted(cloud: Pick<ClaimCloud, "iot">, certificateId: string): Promise<boolean> {
  const status = await statusOf(cloud, certificateId);
  return status !== undefined && status !== "PENDING_ACTIVATION";
}

/** Those by which a thing can connect now. */
export async function activeCertificates(
  cloud: Pick<ClaimCloud, "iot">,
  thingName: string,
): Promise<string[]> {
  const active: string[] = [];
  for (const certificateId of await certificatesOf(cloud, thingName))
    if ((await statusOf(cloud, certificateId)) === "ACTIVE") active.push(certificateId);
  return active;
}

/** Undefined where what is asked for, or taken away, is not there. */
export async function unlessMissing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (failure) {
    if (failure instanceof ResourceNotFoundException) return undefined;
    throw failure;
  }
}
