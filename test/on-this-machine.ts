import { join } from "node:path";
import { DescribeEndpointCommand } from "@aws-sdk/client-iot";
import { serialLinks } from "@coalmine/device/serial-links";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { commission } from "../commissioning/commission.ts";
import { networkPorts } from "../commissioning/network-ports.ts";
import { CommissionOptions } from "../commissioning/options.ts";
import type { DeviceSite } from "../simulator/fleet/process/process-device.ts";
import { type LocalRegion, newClaim, place } from "./local-region.ts";

/** Commissions a device of this machine in the region, with a code of its own below `folder`. */
export async function commissionIn(
  region: LocalRegion,
  folder: string,
  { name, root, serialFolder }: Omit<DeviceSite, "instrument"> & Partial<DeviceSite>,
) {
  const claimCodeFile = join(folder, `claim-${name}`);
  const site = "laboratory-3";
  await newClaim(region, claimCodeFile, { serial: name, site });
  const endpointOf = async (endpointType: string): Promise<string> =>
    (await region.iot.send(new DescribeEndpointCommand({ endpointType }))).endpointAddress ?? "";
  const [iotDataEndpoint = "", mqttPort = ""] = (await endpointOf("iot:Data-ATS")).split(":");
  const options = CommissionOptions.parse({
    serial: name,
    site,
    root,
    claimCodeFile,
    ...region.claiming,
    region: place.region,
    iotDataEndpoint,
    mqttPort: Number(mqttPort),
    iotCredEndpoint: await endpointOf("iot:CredentialProvider"),
    greengrassDataPlaneEndpoint: "localhost",
    greengrassDataPlanePort: region.cloud.ports.dataPlane,
    deploymentPollingFrequencySeconds: 1,
    serialFolders: [serialFolder],
  });
  return commission(options, {
    clock,
    links: serialLinks(clock, { folders: options.serialFolders }),
    ...networkPorts(options, clock),
  });
}
