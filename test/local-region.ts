import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateProvisioningTemplateCommand,
  CreateRoleAliasCommand,
  CreateThingGroupCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { claimPolicy, devicePolicy, names, provisioningTemplate } from "../infra/identity/identity.ts";
import { startCloud, type StartedCloud } from "../simulator/cloud/start-cloud.ts";

export const place = { region: "us-east-1", accountId: "123456789012", partition: "aws" };
const credentials = { accessKeyId: "AKIALOCALTOGETHER", secretAccessKey: "of-no-use-anywhere-else" };

export interface LocalRegion {
  readonly cloud: StartedCloud;
  readonly iot: IoTClient;
  /** For further clients. */
  readonly settings: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: typeof credentials;
  };
}

/** A home region on loopback and the wall clock, with what the identity stack makes, out of the same data. */
export async function startLocalRegion(folder: string): Promise<LocalRegion> {
  const cloud = await startCloud({
    ...place,
    folder,
    host: "127.0.0.1",
    port: 0,
    allowRemote: false,
    devicePorts: { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
    credentials,
    controlToken: "not used here",
    clock: systemClock,
    wallClock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const settings = { region: place.region, endpoint: cloud.endpoint, credentials };
  const iot = new IoTClient(settings);
  for (const thingGroupName of [names.fleetGroup, names.mainGroup, names.canaryGroup])
    await iot.send(new CreateThingGroupCommand({ thingGroupName }));
  const policies = { [names.devicePolicy]: devicePolicy(place), [names.claimPolicy]: claimPolicy(place) };
  for (const [policyName, document] of Object.entries(policies))
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument: JSON.stringify(document) }));
  const role = (name: string): string => `arn:aws:iam::${place.accountId}:role/${name}`;
  await iot.send(
    new CreateRoleAliasCommand({ roleAlias: names.roleAlias, roleArn: role(names.tokenExchangeRole) }),
  );
  await iot.send(
    new CreateProvisioningTemplateCommand({
      templateName: names.provisioningTemplate,
      templateBody: JSON.stringify(provisioningTemplate()),
      provisioningRoleArn: role("registrar"),
      enabled: true,
    }),
  );
  return { cloud, iot, settings };
}

/** A claim as whoever sends a technician out makes it: two files, and the authority to trust. */
export async function newClaim(
  { cloud, iot }: LocalRegion,
  claimFolder: string,
): Promise<{ readonly certificateId: string; readonly key: string }> {
  const {
    certificateArn,
    certificateId = "",
    certificatePem,
    keyPair,
  } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: names.claimPolicy, target: certificateArn }));
  const key = keyPair?.PrivateKey ?? "";
  await mkdir(claimFolder, { recursive: true, mode: 0o700 });
  await writeFile(join(claimFolder, "claim.pem.crt"), certificatePem ?? "");
  await writeFile(join(claimFolder, "claim.private.pem.key"), key, { mode: 0o600 });
  await writeFile(join(claimFolder, "AmazonRootCA1.pem"), cloud.cloud.iot.authority.certificatePem);
  return { certificateId, key };
}
