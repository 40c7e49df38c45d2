import { join } from "node:path";
import { IoTClient } from "@aws-sdk/client-iot";
import { silentLog } from "@coalmine/runtime";
import type { Log } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import type { ClaimCloud } from "../api/claims/claim-cloud.ts";
import { mintCodes, type MintedCode } from "../api/claims/mint.ts";
import { CommissioningSide } from "../cli/system/commissioning-side.ts";
import { setUpRegion } from "../cli/system/set-up.ts";
import { writeClaimCode } from "../commissioning/claim-code-file.ts";
import { functionNames } from "../infra/identity/functions.ts";
import { startCloud, type StartedCloud } from "../simulator/cloud/start-cloud.ts";

export const place = { region: "us-east-1", accountId: "123456789012", partition: "aws" };
export const reportBucket = "reports";
const credentials = { accessKeyId: "AKIALOCALTOGETHER", secretAccessKey: "of-no-use-anywhere-else" };

export interface LocalRegion {
  readonly cloud: StartedCloud;
  readonly iot: IoTClient;
  readonly claims: ClaimCloud;
  /** What a device of this region is told of how it is commissioned. */
  readonly claiming: { readonly claimEndpoint: string; readonly rootCaFile: string };
  /** For further clients. */
  readonly settings: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: typeof credentials;
  };
}

/** A home region on loopback and the wall clock, with what the identity stack makes, out of the same data. */
export async function startLocalRegion(folder: string, log: Log = silentLog): Promise<LocalRegion> {
  const commissioning = new CommissioningSide(systemClock, log);
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
    log,
    functions: commissioning.functions,
    httpApi: { functionName: functionNames.claims, port: 0 },
  });
  await setUpRegion((service, operation, input) => cloud.cloud.invoke(service, operation, input), place, [
    reportBucket,
  ]);
  const settings = { region: place.region, endpoint: cloud.endpoint, credentials };
  return {
    cloud,
    iot: new IoTClient(settings),
    claims: await commissioning.open(settings, reportBucket),
    claiming: {
      claimEndpoint: `https://localhost:${cloud.ports.httpApi ?? 0}`,
      rootCaFile: join(folder, "authority", "ca.pem"),
    },
    settings,
  };
}

/** A code as whoever sends a technician out makes it, in the file of the device that it is for. */
export async function newClaim(
  { claims }: LocalRegion,
  claimCodeFile: string,
  allowed: { readonly serial?: string; readonly site: string; readonly hardwareId?: string },
): Promise<MintedCode> {
  const [minted] = await mintCodes(claims, { ...allowed, who: "ada" });
  if (minted === undefined) throw new Error("no code was made");
  await writeClaimCode(claimCodeFile, minted.code);
  return minted;
}
