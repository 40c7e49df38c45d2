import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { serialLinks } from "@coalmine/device/serial-links";
import { ReferenceFluid } from "@coalmine/instrument/guided-calibration/reference-fluid";
import { type Closing, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { nodeProbes } from "@coalmine/site/node-probes";
import { mintCodes } from "../api/claims/mint.ts";
import { type DurableFiles, durableFiles } from "../commissioning/durable-files.ts";
import { networkList } from "../commissioning/network/network-list.ts";
import { networkPorts } from "../commissioning/network-ports.ts";
import { CommissionOptions } from "../commissioning/options.ts";
import { buildAssets } from "../commissioning/page/assets.ts";
import { Door } from "../commissioning/page/door.ts";
import { page } from "../commissioning/page/page.ts";
import { servePage } from "../commissioning/page/page-server.ts";
import { openProgram, type Program } from "../commissioning/technician/program.ts";
import { glycerolWaterViscosity } from "../simulator/instruments/control-fluid.ts";
import { Instrument } from "../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../simulator/instruments/ledger.ts";
import { servePty } from "../simulator/instruments/pty.ts";
import { Rheometer } from "../simulator/instruments/rheometer.ts";
import { openSite } from "../simulator/site/site-plan.ts";
import { type SimulatedSite, startSite } from "../simulator/site/simulated-site.ts";
import { type LocalRegion, place } from "./local-region.ts";

export const PAGE_CODE = "K7QF-2M9X";
export const PASSPHRASE = "cellar 42 down";
const SITE = "st-mary";

/** A new device on the wall of a cellar: its building, its instrument, its settings, and a code that was made for it. */
export interface NewDevice {
  readonly root: string;
  readonly serial: string;
  readonly code: string;
  readonly site: SimulatedSite;
  /** What links have cost so far, in ms: nobody waits for them here. */
  readonly linkMs: () => number;
  /** The program as it starts when the device has power. */
  power(files?: DurableFiles): Promise<Program>;
  /** The same with its page, on loopback. */
  serve(): Promise<{ readonly url: string; close(): Promise<void> }>;
}

export async function newDevice(
  region: LocalRegion,
  folder: string,
  serial: string,
  closing: Closing,
  /** From one point of its instrument's curve to the next. */
  pointIntervalMs = 500,
): Promise<NewDevice> {
  const ports = join(folder, `${serial}-ports`);
  const root = join(folder, serial);
  await mkdir(ports, { recursive: true });
  const random = new SeededRandom(serial);
  const source = new Rheometer({ random: random.fork("rheometer") });
  const instrument = new Instrument({
    id: "rheo-1",
    clock: systemClock,
    random,
    source,
    ledger: new MemoryLedger(),
    periodMs: 3_600_000,
    phaseMs: 3_000_000,
    pointIntervalMs,
  });
  const served = servePty(instrument, ports, systemClock);
  instrument.start();
  closing.add(instrument, () => {
    instrument.stop();
    served.unplug();
    return Promise.resolve();
  });

  let linkMs = 0;
  const clock = { ...systemClock, sleep: async (ms: number) => void (linkMs += ms) };
  const { cloud, claiming } = region;
  const rootCaFile = join(folder, `${serial}-roots.pem`);
  const settings = CommissionOptions.omit({ site: true, technician: true }).parse({
    serial,
    root,
    ...claiming,
    rootCaFile,
    region: place.region,
    iotDataEndpoint: "localhost",
    mqttPort: cloud.ports.mqtt,
    iotCredEndpoint: `localhost:${cloud.ports.credentials}`,
    greengrassDataPlaneEndpoint: "localhost",
    greengrassDataPlanePort: cloud.ports.dataPlane,
    serialFolders: [ports],
  });
  const list = networkList(settings);
  const site = await startSite(
    {
      ...openSite,
      hosts: [...new Set(list.map(({ host }) => host))],
      doors: Object.fromEntries(
        list.filter(({ host }) => host === "localhost").map(({ host, port }) => [`${host}:${port}`, port]),
      ),
      accessPoints: [
        {
          ssid: "ward",
          signalPercent: 71,
          bandGHz: 2.4,
          security: { kind: "wpa2-psk", passphrase: PASSPHRASE },
        },
      ],
    },
    { clock, wallClock: systemClock, random },
  );
  closing.add(site, () => site.close());
  // The world of this test has two authorities: the cloud's, and that of what else is outside.
  await writeFile(rootCaFile, `${await readFile(claiming.rootCaFile, "utf8")}\n${site.trust}`);
  const [minted] = await mintCodes(region.claims, { serial, site: SITE, who: "ada" });
  const power = (files = durableFiles): Promise<Program> =>
    openProgram({
      settings,
      ports: {
        clock: site.deviceClock,
        links: serialLinks(systemClock, { folders: settings.serialFolders }),
        ...networkPorts(settings, systemClock),
        files,
      },
      network: site.network,
      probes: (proxy) => nodeProbes({ clock: site.deviceClock, wire: site.wire, proxy }),
      battery: async () => site.clockBattery(),
      setClock: async (to) => site.change({ deviceClockAheadMs: to - systemClock.now() }),
      fluids: [fluid],
    });
  return {
    root,
    serial,
    code: minted?.code ?? "",
    site,
    linkMs: () => linkMs,
    power,
    async serve() {
      const { flow, language, offered } = await power();
      const app = page({
        flow,
        door: new Door(PAGE_CODE, systemClock, nodeCrypto),
        assets: await buildAssets(),
        clock: systemClock,
        language,
        offered,
      });
      const served = await servePage(app, { address: "127.0.0.1", port: 0 });
      return { url: `http://127.0.0.1:${served.port}/`, close: () => served.close() };
    },
  };
}

/** Of the bottle that technicians have along: 65 % glycerol in water. */
const fluid = ReferenceFluid.parse({
  name: "G65",
  lot: "4711",
  certificate: "C-1",
  expiresMs: Date.UTC(2099, 0, 1),
  viscosity: [15, 20, 25, 30, 35, 40].map((at) => [at, glycerolWaterViscosity(0.65, at)]),
  expandedUncertainty: 0.004,
});
