import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { AddThingToThingGroupCommand, IoTClient } from "@aws-sdk/client-iot";
import type { Log } from "@coalmine/ports";
import { Closing } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { functionNames } from "../../infra/identity/functions.ts";
import { names } from "../../infra/identity/identity.ts";
import { coreDeviceProgram } from "../../pipeline/build/core-device-program.ts";
import { type StartedCloud, startCloud } from "../../simulator/cloud/start-cloud.ts";
import { usualNames } from "../../simulator/fleet/driven/usual-settings.ts";
import { installedComponents } from "../../simulator/fleet/process/installed-components.ts";
import { ProcessFleet } from "../../simulator/fleet/process/process-fleet.ts";
import { Relay } from "../../simulator/fleet/process/relay.ts";
import type { ProcessWorld } from "../../simulator/fleet/process/scenario/process-world.ts";
import { SmallDisk } from "../../simulator/fleet/process/small-disk.ts";
import { CommissioningSide } from "../system/commissioning-side.ts";
import { HOME } from "../system/home-region.ts";
import { commissionDevice } from "../system/process-devices.ts";
import { setUpRegion } from "../system/set-up.ts";
import type { Places } from "../system/state.ts";

const POINT_INTERVAL_MS = 100;
const REPORTS = "commissioning-reports";

interface WorldOptions {
  /** Everything lies below it, and nothing is kept. */
  readonly folder: string;
  readonly seed: string;
  readonly log: Log;
  readonly devices: number;
  readonly curveSeconds: number;
  readonly hasSmallDisks: boolean;
  readonly progress: (sentence: string) => void;
}

/** A cloud of its own on this machine, and process devices in it, each commissioned over lines that can be cut. */
export async function openProcessWorld(
  at: Places,
  options: WorldOptions,
): Promise<ProcessWorld & { close(): Promise<void> }> {
  const { folder, seed, log, hasSmallDisks, progress } = options;
  const closing = new Closing();
  try {
    const credentials = {
      accessKeyId: `AKIALOCAL${randomBytes(4).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString("base64url"),
    };
    const commissioning = closing.add(new CommissioningSide(systemClock, log), (side) =>
      Promise.resolve(side.close()),
    );
    const cloud = closing.add(
      await startCloud({
        folder: join(folder, "cloud"),
        region: HOME.region,
        accountId: HOME.accountId,
        host: "127.0.0.1",
        port: 0,
        allowRemote: false,
        devicePorts: { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
        credentials,
        controlToken: randomBytes(24).toString("base64url"),
        clock: systemClock,
        wallClock: systemClock,
        random: systemRandom,
        log,
        functions: commissioning.functions,
        httpApi: { functionName: functionNames.claims, port: 0 },
      }),
      (started) => started.close(),
    );
    const place = { region: HOME.region, accountId: HOME.accountId, partition: "aws" };
    await setUpRegion((service, operation, input) => cloud.cloud.invoke(service, operation, input), place, [
      usualNames.artifactBucket,
      usualNames.lakeBucket,
      REPORTS,
    ]);
    const settings = { region: HOME.region, endpoint: cloud.endpoint, credentials };
    const claims = await commissioning.open(settings, REPORTS);
    const iot = new IoTClient(settings);
    const greengrass = new GreengrassV2Client(settings);
    const relays = new Map<string, Record<Way, Relay>>();
    const disks = new Map<string, SmallDisk>();
    const devices = Array.from({ length: options.devices }, (_, index) => `p${index + 1}`);
    for (const name of devices) relays.set(name, await relaysTo(cloud, closing));
    await mkdir(join(folder, "claims"), { recursive: true });
    const fleet = closing.add(
      await ProcessFleet.start({
        folder: join(folder, "f"),
        devices,
        clock: systemClock,
        seed,
        periodSeconds: options.curveSeconds,
        pointIntervalMs: POINT_INTERVAL_MS,
        endpoint: (name) => `http://127.0.0.1:${relays.get(name)?.http.port ?? 0}`,
        node: process.execPath,
        coreDevice: () => coreDeviceProgram(at.root, at.cache),
        commissionDevice: async (site) => {
          const own = relays.get(site.name);
          const ports = {
            httpApi: cloud.ports.httpApi ?? 0,
            mqtt: own?.mqtt.port ?? 0,
            dataPlane: own?.dataPlane.port ?? 0,
            credentials: own?.credentials.port ?? 0,
          };
          const rootCaFile = join(folder, "cloud", "authority", "ca.pem");
          await commissionDevice({ state: folder, claims, ports, rootCaFile }, site, progress);
          await iot.send(
            new AddThingToThingGroupCommand({ thingName: site.name, thingGroupName: names.fleetGroup }),
          );
          if (hasSmallDisks)
            disks.set(
              site.name,
              closing.add(SmallDisk.mount(join(site.root, "work")), (disk) =>
                Promise.resolve(disk.unmount()),
              ),
            );
        },
        installedComponents: (thing) => installedComponents(greengrass, thing),
        report: (event) => {
          if (event.kind !== "started") progress(JSON.stringify(event));
        },
      }),
      (running) => running.stop(),
    );
    progress(`${devices.length} process devices are commissioned and on`);
    return {
      cloud: cloud.cloud,
      fleet,
      relays: new Map([...relays].map(([name, own]) => [name, Object.values(own)])),
      disks,
      close: () => closing.close(),
    };
  } catch (failure) {
    await closing.close();
    throw failure;
  }
}

const ways = ["http", "mqtt", "dataPlane", "credentials"] as const;
type Way = (typeof ways)[number];

/** Every way that a device has to its cloud, once it is commissioned. */
async function relaysTo({ ports }: StartedCloud, closing: Closing): Promise<Record<Way, Relay>> {
  const to = async (way: Way): Promise<Relay> =>
    closing.add(await Relay.to(ports[way]), (relay) => relay.close());
  return {
    http: await to("http"),
    mqtt: await to("mqtt"),
    dataPlane: await to("dataPlane"),
    credentials: await to("credentials"),
  };
}
