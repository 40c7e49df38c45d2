import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
} from "@aws-sdk/client-iot";
import { PublishCommand } from "@aws-sdk/client-iot-data-plane";
import type { ThingName } from "@coalmine/contract";
import {
  type CertificateAnswer,
  certificateAnswerTopic,
  type CertificateMessage,
} from "@coalmine/contract/commissioning";
import { CoalmineError } from "@coalmine/runtime";
import type { ClaimCloud } from "../claims/claim-cloud.ts";
import { addHistory } from "./history.ts";
import { activeCertificates } from "./registry.ts";
import { revokeCertificate } from "./revoke.ts";

/** Who asks is not the device. */
export class NotItsCertificate extends CoalmineError {
  readonly code = "ERR_CERTIFICATE_OWNER";
}

/**
 * A device changes its certificate: it asks with the one that counts for one of a new key, connects with that, and
 * confirms with it; then the old one is revoked. At no time has it none, and at the end it has one. Whatever is cut in
 * between is taken up by asking again: what was made for nothing is revoked then. `principal` is the
 * certificate that asks, `policy` what each certificate of a device has.
 */
export async function rotateCertificate(
  cloud: ClaimCloud,
  policy: string,
  thing: ThingName,
  principal: string,
  message: CertificateMessage,
): Promise<void> {
  const revoked = await keepOnly(cloud, thing, principal);
  if (message.kind === "confirm") {
    // Confirmed again: nothing is left to be revoked.
    if (revoked.length > 0)
      await addHistory(cloud, thing, { kind: "rotated", certificateId: principal, revoked });
    return;
  }
  const { iot, iotData } = cloud;
  const {
    certificateArn: target = "",
    certificateId = "",
    certificatePem = "",
  } = await iot.send(
    new CreateCertificateFromCsrCommand({ certificateSigningRequest: message.request, setAsActive: true }),
  );
  await iot.send(new AttachPolicyCommand({ policyName: policy, target }));
  await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal: target }));
  const answer: CertificateAnswer = { version: 1, certificateId, certificatePem };
  await iotData.send(
    new PublishCommand({
      topic: certificateAnswerTopic(thing),
      qos: 1,
      payload: Buffer.from(JSON.stringify(answer)),
    }),
  );
}

/** Revokes every certificate by which the thing could connect, but this one; that ends the sessions opened by them. */
async function keepOnly({ iot }: ClaimCloud, thing: ThingName, principal: string): Promise<string[]> {
  const active = await activeCertificates({ iot }, thing);
  if (!active.includes(principal))
    throw new NotItsCertificate(
      `certificate ${principal} asks for ${thing} and is none that counts for it; look who holds its key`,
    );
  const others = active.filter((certificateId) => certificateId !== principal);
  for (const certificateId of others) await revokeCertificate(iot, thing, certificateId);
  return others;
}
