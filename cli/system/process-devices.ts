import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { AttachPolicyCommand, CreateKeysAndCertificateCommand, IoTClient } from "@aws-sdk/client-iot";
import { serialLinks } from "@coalmine/device/serial-links";
import { CoalmineError } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { commission } from "../../commissioning/commission.ts";
import { mqttConnector } from "../../commissioning/mqtt-connector.ts";
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

/** Process devices of the home region, each commissioned with a claim of its own, on real serial ports. */
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
  const iot = new IoTClient(settings);
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
    coreDevice: await coreDeviceProgram(at.root, at.cache),
    commissionDevice: (site) => commissionDevice(at, home, iot, site, report),
    installedComponents: (thing) => installedComponents(greengrass, thing),
    report: (event) => report(JSON.stringify(event)),
  });
}

async function commissionDevice(
  at: Places,
  home: HomeRegion,
  iot: IoTClient,
  { name, root, serialFolder }: DeviceSite,
  report: (sentence: string) => void,
): Promise<void> {
  // A claim serves once: a device that is commissioned keeps its identity.
  const claimFolder = join(at.state, "claims", name);
  const caFile = join(at.state, "home", "authority", "ca.pem");
  if (!existsSync(join(root, "commissioning", "report.json"))) await newClaim(iot, claimFolder, caFile);
  const { ports } = home.cloud;
  const options = CommissionOptions.parse({
    serial: name,
    // Devices of one site are drawn together: each of these stands for a site of its own.
    site: `site-${name}`,
    root,
    claimFolder,
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
    iot: mqttConnector({ host: options.iotDataEndpoint, port: options.mqttPort }, systemClock),
  });
  if (!result.report.passed)
    throw new CommissioningFailed(`${name} did not pass its commissioning: ${JSON.stringify(result.report)}`);
  report(`${name} is commissioned: its key was made on it, its claim is erased, its instrument answers`);
}

/** A claim as whoever sends a technician out makes it. */
async function newClaim(iot: IoTClient, folder: string, caFile: string): Promise<void> {
  const {
    certificateArn,
    certificatePem = "",
    keyPair,
  } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: names.claimPolicy, target: certificateArn }));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await writeFile(join(folder, "claim.pem.crt"), certificatePem);
  await writeFile(join(folder, "claim.private.pem.key"), keyPair?.PrivateKey ?? "", { mode: 0o600 });
  await writeFile(join(folder, "AmazonRootCA1.pem"), await readFile(caFile));
}
