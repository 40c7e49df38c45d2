import { newSigningRequest } from "@coalmine/device/signing-request";
import * as z from "zod";
import { CommissioningRefused } from "../commissioning/refusal.ts";
import { names } from "../infra/identity/identity.ts";
import type { DrivenRegion } from "../simulator/fleet/driven/region.ts";
import type { HostedDevice } from "../simulator/fleet/hosted/hosted-device.ts";
import { ownLine } from "./rotating-device.ts";

const LOOK_MS = 1000;
const Created = z.object({
  certificateId: z.string(),
  certificateArn: z.string(),
  certificatePem: z.string(),
});

interface Former {
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Of a key of the device's own, in place of what devices in a process are given. */
export async function firstCertificate(region: DrivenRegion, device: HostedDevice): Promise<Former> {
  const { thingName, certificateId } = device;
  const { privateKey: privateKeyPem, request } = newSigningRequest(thingName);
  const given = region.cloud.iot.iot.certificates.arn(certificateId);
  const invoke = (operation: string, input: Record<string, unknown>) =>
    region.cloud.invoke("iot", operation, input);
  const created = await region.turn.change(async () => {
    const made = Created.parse(
      await invoke("CreateCertificateFromCsr", { certificateSigningRequest: request, setAsActive: true }),
    );
    await invoke("AttachPolicy", { policyName: names.devicePolicy, target: made.certificateArn });
    await invoke("AttachThingPrincipal", { thingName, principal: made.certificateArn });
    await invoke("DetachThingPrincipal", { thingName, principal: given });
    return made;
  });
  device.useCertificate(created.certificateId);
  return { ...created, privateKeyPem };
}

/** Whether AWS IoT takes no session by it any more. */
export async function isRefused(
  region: DrivenRegion,
  device: HostedDevice,
  former: Former,
): Promise<boolean> {
  const identity = { ...former, clientId: device.thingName, rootCaPem: "", whose: "device" as const };
  const tried = ownLine(region, device)
    .connect(identity)
    .then(
      () => false,
      (failure: unknown) => failure instanceof CommissioningRefused && failure.reason === "claim-refused",
    );
  await region.turn.advance(LOOK_MS);
  return tried;
}
