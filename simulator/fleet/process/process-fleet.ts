import { mkdir, rm, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { Closing, CoalmineError } from "@coalmine/runtime";
import { deviceCommand } from "../../core-device/process/device-command.ts";
import type { InstalledComponent } from "./installed-components.ts";
import { type DeviceSite, ProcessDevice } from "./process-device.ts";
import type { TreeMemory } from "./process-tree.ts";
import { readLedger, type SentReading } from "./sent-readings.ts";
import { type ProcessEvent, SupervisedProcess } from "./supervised-process.ts";

/** What a machine of two cores carries; each device is six processes. */
export const PROCESS_DEVICES_MAX = 12;
const POLL_MS = 500;
const simulator = dirname(dirname(import.meta.dirname));

export interface ProcessFleetOptions {
  /** Everything of the fleet lies below it; a fleet started there again goes on. Keep it short: sockets are in it. */
  readonly folder: string;
  /** Serial numbers, which become the things' names. */
  readonly devices: readonly string[];
  readonly clock: Clock;
  readonly seed: string;
  /** From one flow curve of an instrument to the next. */
  readonly periodSeconds: number;
  /** From one point of a curve to the next. */
  readonly pointIntervalMs?: number;
  /** The cloud that a device's components speak to. */
  readonly endpoint: string | ((device: string) => string);
  /** The Node that runs core devices and instruments, absolute. */
  readonly node: string;
  /** Gives the core device's bundle, absolute; asked while devices are being commissioned. */
  readonly coreDevice: () => Promise<string>;
  /** Makes the device's identity and writes its configuration; called at each start, and has to know what is done. */
  readonly commissionDevice: (site: DeviceSite) => Promise<void>;
  /** What the cloud knows of a device's components. */
  readonly installedComponents: (thingName: string) => Promise<readonly InstalledComponent[]>;
  readonly report?: (event: ProcessEvent) => void;
}

export class ProcessFleetError extends CoalmineError {
  readonly code: "ERR_PROCESS_FLEET_SIZE" | "ERR_PROCESS_FLEET_NOT_RUNNING";
  constructor(code: ProcessFleetError["code"], message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** Core devices as processes of this machine, each with a rheometer on a pseudo-terminal of its own. */
export class ProcessFleet {
  readonly devices: readonly ProcessDevice[];
  readonly instruments: SupervisedProcess;
  /** A file with an instrument's name in it pulls that instrument's cable, as long as it is there. */
  readonly unplugged: string;
  readonly #options: ProcessFleetOptions;
  readonly #ledger: string;
  readonly #closing: Closing;

  private constructor(
    options: ProcessFleetOptions,
    parts: {
      devices: readonly ProcessDevice[];
      instruments: SupervisedProcess;
      ledger: string;
      closing: Closing;
    },
  ) {
    this.#options = options;
    this.devices = parts.devices;
    this.instruments = parts.instruments;
    this.unplugged = unpluggedFolder(options.folder);
    this.#ledger = parts.ledger;
    this.#closing = parts.closing;
  }

  /** Starts the instruments, has each device commissioned, and starts the core devices. */
  static async start(options: ProcessFleetOptions): Promise<ProcessFleet> {
    const { folder, devices: names, commissionDevice } = options;
    if (names.length < 1 || names.length > PROCESS_DEVICES_MAX || new Set(names).size < names.length)
      throw new ProcessFleetError(
        "ERR_PROCESS_FLEET_SIZE",
        `a machine carries 1 to ${PROCESS_DEVICES_MAX} process devices of different names, not ${names.join(", ")}; run more of them hosted`,
      );
    const ledger = join(folder, "instruments", "ledger.jsonl");
    const terminals = join(folder, "instruments", "tty");
    const sites = names.map((name) => siteOf(folder, name));
    const closing = new Closing();
    try {
      for (const site of sites) await plugIn(site, terminals);
      // When the devices are stopped, nobody is left to whom the instruments could hand over.
      const instruments = closing.add(instrumentsOf(options, sites, { ledger, terminals }), (running) =>
        running.cutPower(),
      );
      await instruments.start();
      const [coreDevice] = await Promise.all([options.coreDevice(), ...sites.map(commissionDevice)]);
      const devices: ProcessDevice[] = [];
      for (const site of sites) {
        const supervised = closing.add(coreDeviceOf(options, coreDevice, site), (running) => running.stop());
        await supervised.start();
        devices.push(new ProcessDevice(site, supervised));
      }
      return new ProcessFleet(options, { devices, instruments, ledger, closing });
    } catch (failure) {
      await closing.close();
      throw failure;
    }
  }

  /** Devices first, the last started first; then the instruments. Nothing that they started is left. */
  stop(): Promise<void> {
    return this.#closing.close();
  }

  /** What each instrument has measured, and sent or holds in its ring. */
  sentReadings(): Promise<ReadonlyMap<string, readonly SentReading[]>> {
    return readLedger(this.#ledger);
  }

  async memory(): Promise<TreeMemory> {
    const all = await Promise.all(this.devices.map((device) => device.memory()));
    return {
      processes: all.reduce((sum, { processes }) => sum + processes, 0),
      pssBytes: all.reduce((sum, { pssBytes }) => sum + pssBytes, 0),
    };
  }

  /** Waits until each device runs these components; rejects with what is not up, and what its log says last. */
  async waitUntilRunning(components: readonly string[], withinMs: number): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonicMs() + withinMs;
    for (;;) {
      const complaints = await this.#complaints(components);
      if (complaints.length === 0) return;
      if (clock.monotonicMs() >= until)
        throw new ProcessFleetError(
          "ERR_PROCESS_FLEET_NOT_RUNNING",
          `not everything runs after ${Math.round(withinMs / 1000)} s: ${complaints.join("; ")}`,
        );
      await clock.sleep(POLL_MS);
    }
  }

  async #complaints(components: readonly string[]): Promise<readonly string[]> {
    const all = await Promise.all(
      this.devices.map(async (device) => {
        if (device.process.gaveUp)
          return [
            `${device.name}: the core device crashed too often; last lines: ${device.process.lastLines.slice(-5).join(" | ")}`,
          ];
        return device.complaints(components, await this.#options.installedComponents(device.name));
      }),
    );
    return all.flat();
  }
}

function siteOf(folder: string, name: string): DeviceSite {
  const own = join(folder, name);
  return {
    name,
    root: join(own, "root"),
    serialFolder: join(own, "serial"),
    instrument: `rheometer-${name}`,
  };
}

function unpluggedFolder(folder: string): string {
  return join(folder, "instruments", "unplugged");
}

/** One process serves all instruments; each device sees only the name of its own. */
async function plugIn(site: DeviceSite, terminals: string): Promise<void> {
  await mkdir(site.serialFolder, { recursive: true });
  await mkdir(site.root, { recursive: true, mode: 0o700 });
  const plug = join(site.serialFolder, site.instrument);
  await rm(plug, { force: true });
  await symlink(join(terminals, site.instrument), plug);
}

function instrumentsOf(
  options: ProcessFleetOptions,
  sites: readonly DeviceSite[],
  places: { readonly ledger: string; readonly terminals: string },
): SupervisedProcess {
  const { node, folder, seed, periodSeconds, pointIntervalMs, clock, report } = options;
  const settings = {
    folder: places.terminals,
    instruments: sites.map(({ instrument }) => instrument).join(","),
    seed,
    "period-seconds": String(periodSeconds),
    ...(pointIntervalMs === undefined ? {} : { "point-interval-ms": String(pointIntervalMs) }),
    ledger: places.ledger,
    unplugged: unpluggedFolder(folder),
  };
  return new SupervisedProcess({
    name: "instruments",
    command: [
      node,
      join(simulator, "instruments/main.ts"),
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    environment: { PATH: pathWith(node), HOME: folder },
    mark: `${folder}/instruments`,
    isReady: (line) => line.startsWith("{") && line.includes('"ready":true'),
    clock,
    report: report ?? (() => undefined),
  });
}

function coreDeviceOf(
  options: ProcessFleetOptions,
  coreDevice: string,
  { name, root, serialFolder }: DeviceSite,
): SupervisedProcess {
  const { node, folder, endpoint, clock, report } = options;
  const { command, environment } = deviceCommand(node, coreDevice, root);
  return new SupervisedProcess({
    name,
    command,
    // Nothing of whoever starts the fleet: a device has its own role, and its own home.
    environment: {
      ...environment,
      PATH: pathWith(node),
      HOME: root,
      AWS_ENDPOINT_URL: typeof endpoint === "string" ? endpoint : endpoint(name),
      // Nobody else's credentials or settings are looked for.
      AWS_EC2_METADATA_DISABLED: "true",
      COALMINE_SERIAL_FOLDERS: serialFolder,
    },
    mark: `${folder}/${name}`,
    isReady: (line) => line.endsWith(" is up"),
    clock,
    report: report ?? (() => undefined),
  });
}

function pathWith(node: string): string {
  return [dirname(node), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter);
}
