import { createHash, verify, X509Certificate } from "node:crypto";
import { type OrderAnswer, orderQuestion, type OrderRequest } from "@coalmine/contract/commissioning";
import type { ClaimCloud } from "../claims/claim-cloud.ts";
import { historyOf } from "./history.ts";

/**
 * What a device is to do. That somebody took it out stands in its history; a certificate that is merely revoked, or gone, is
 * no order. Only the certificates that were its own then may know.
 */
export async function orderFor(
  cloud: Pick<ClaimCloud, "dynamodb">,
  request: OrderRequest,
): Promise<OrderAnswer> {
  const certificateId = askerOf(request);
  if (certificateId === undefined) return {};
  const retiring = (await historyOf(cloud, request.thing)).find(
    (event) => event.kind === "retiring" && event.certificateIds.includes(certificateId),
  );
  if (retiring?.kind !== "retiring") return {};
  return { order: { kind: "wipe", as: retiring.as, at: retiring.at, certificateId } };
}

/** The id of the certificate whose key has signed, as AWS IoT has it: the hash of its DER. */
function askerOf({ thing, certificate, signature }: OrderRequest): string | undefined {
  try {
    const { raw, publicKey } = new X509Certificate(Buffer.from(certificate, "base64"));
    const question = Buffer.from(orderQuestion(thing));
    return verify("sha256", question, publicKey, Buffer.from(signature, "base64"))
      ? createHash("sha256").update(raw).digest("hex")
      : undefined;
  } catch {
    // No certificate, or a key that cannot sign.
    return undefined;
  }
}
