import { existsSync } from "node:fs";
import { join } from "node:path";
import { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { serialLinks } from "@coalmine/device/serial-links";
import { CoalmineError } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { mintCodes } from "../../api/claims/mint.ts";
import { writeClaimCode } from "../../commissioning/claim-code-file.ts";
import { commission } from "../../commissioning/commission.ts";
import { networkPorts } from "../../commissioning/network-ports.ts";
import { CommissionOptions } from "../../commissioning/options.ts";
import { names } from "../../infra/identity/identity.ts";
import { coreDeviceProgram } from "../../pipeline/build/core-device-program.ts";
import { installedComponents } from "../../simulator/fleet/process/installed-components.ts";
import type { DeviceSite } from "../../simulator/fleet/process/process-device.ts";
import { ProcessFleet } from "../../simulator/fleet/process/process-fleet.ts";
import { HOME, type HomeRegion } from "./home-region.ts";
import type { Places } from "./state.ts";

/** From one flow curve to the next on the home fleet: a short run has to see some. */
const CURVE_SECONDS = 20;
const POINT_INTERVAL_MS = 200;

export class CommissioningFailed extends CoalmineError {
  readonly code = "ERR_COMMISSIONING";
}

/** Process devices of the home region, each commissioned with a code of its own, on real serial ports. */
export async function startProcessDevices(
  at: Places,
  home: HomeRegion,
  devices: readonly string[],
  report: (sentence: string) => void,
): Promise<ProcessFleet> {
  const { accessKeyId, secretAccessKey } = home.secrets;
  const settings = {
    region: HOME.region,
    endpoint: home.cloud.endpoint,
    credentials: { accessKeyId, secretAccessKey },
  };
  const greengrass = new GreengrassV2Client(settings);
  return ProcessFleet.start({
    folder: join(at.state, "fleet"),
    devices,
    clock: systemClock,
    seed: "home",
    periodSeconds: CURVE_SECONDS,
    pointIntervalMs: POINT_INTERVAL_MS,
    endpoint: home.cloud.endpoint,
    node: process.execPath,
    coreDevice: () => coreDeviceProgram(at.root, at.cache),
    commissionDevice: (site) =>
      commissionDevice(
        {
          state: at.state,
          claims: home.claims,
          ports: home.cloud.ports,
          rootCaFile: join(at.state, "home", "authority", "ca.pem"),
        },
        site,
        report,
      ),
    installedComponents: (thing) => installedComponents(greengrass, thing),
    report: (event) => report(JSON.stringify(event)),
  });
}

/** What a device of this machine is commissioned with. */
export interface Commissioning {
  /** Claim codes are written below it. */
  readonly state: string;
  readonly claims: HomeRegion["claims"];
  /** Where the device finds its cloud. */
  readonly ports: Pick<HomeRegion["cloud"]["ports"], "httpApi" | "mqtt" | "credentials" | "dataPlane">;
  readonly rootCaFile: string;
}

export async function commissionDevice(
  { state, claims, ports, rootCaFile }: Commissioning,
  { name, root, serialFolder }: DeviceSite,
  report: (sentence: string) => void,
): Promise<void> {
  // Devices of one site are drawn together: each of these stands for a site of its own.
  const site = `site-${name}`;
  const claimCodeFile = join(state, "claims", name);
  // A code serves once: a device that is commissioned keeps its identity.
  if (!existsSync(join(root, "commissioning", "report.json"))) {
    const [minted] = await mintCodes(claims, { serial: name, site, who: "coalmine up" });
    if (minted !== undefined) await writeClaimCode(claimCodeFile, minted.code);
  }
  const options = CommissionOptions.parse({
    serial: name,
    site,
    root,
    claimCodeFile,
    claimEndpoint: `https://localhost:${ports.httpApi ?? 0}`,
    rootCaFile,
    region: HOME.region,
    provisioningTemplate: names.provisioningTemplate,
    roleAlias: names.roleAlias,
    iotDataEndpoint: "localhost",
    mqttPort: ports.mqtt,
    iotCredEndpoint: `localhost:${ports.credentials}`,
    greengrassDataPlaneEndpoint: "localhost",
    greengrassDataPlanePort: ports.dataPlane,
    serialFolders: [serialFolder],
    deploymentPollingFrequencySeconds: 1,
  });
  const result = await commission(options, {
    clock: systemClock,
    links: serialLinks(systemClock, { folders: options.serialFolders }),
    ...networkPorts(options, systemClock),
  });
  if (!result.report.passed)
    throw new CommissioningFailed(`${name} did not pass its commissioning: ${JSON.stringify(result.report)}`);
  report(`${name} is commissioned: its key was made on it, its code is erased, its instrument answers`);
}
