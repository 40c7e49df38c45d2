import {
  DescribeCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  ListAttachedPoliciesCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { unlessMissing } from "./registry.ts";

/** Ends the sessions that a certificate has opened, and takes thing and policies from it. May be repeated. */
export async function revokeCertificate(
  iot: IoTClient,
  thingName: string,
  certificateId: string,
): Promise<void> {
  const revoked = await unlessMissing(
    iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" })),
  );
  if (revoked === undefined) return;
  const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId }));
  const principal = certificateDescription?.certificateArn ?? "";
  const { policies = [] } = await iot.send(new ListAttachedPoliciesCommand({ target: principal }));
  for (const { policyName } of policies)
    await iot.send(new DetachPolicyCommand({ policyName, target: principal }));
  await unlessMissing(iot.send(new DetachThingPrincipalCommand({ thingName, principal })));
}
