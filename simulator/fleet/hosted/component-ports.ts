import { memoryFiles, type MemoryFiles } from "@coalmine/durable-log/memory-files";
import { ipcPort } from "@coalmine/ipc";
import type { IpcService } from "@coalmine/ipc/service";
import type { ComponentProcess, Models } from "@coalmine/ports";
import { jsonLog, type SeededRandom } from "@coalmine/runtime";
import type { HostedPorts } from "../../core-device/hosted/hosted-launcher.ts";
import type { HostedRoot } from "../../core-device/hosted/hosted-root.ts";
import type { Command } from "../../core-device/ports.ts";
import type { HostedLinks } from "../../instruments/hosted-links.ts";
import { awsPorts, type AwsCalls } from "./aws-calls.ts";
import { type ComponentUse, Use } from "./component-use.ts";
import type { DeviceClock } from "./device-clock.ts";
import { Life } from "./life.ts";
import { livingFiles } from "./living-files.ts";
import { livingAws, livingClock, livingIpc, livingLinks, livingModels } from "./living-ports.ts";
import { hostedFolder } from "./log-folder.ts";
import { seededCrypto } from "./seeded-crypto.ts";
import type { SharedModels } from "./shared-models.ts";
import { type DiskTrouble, troubledFiles } from "./troubled-files.ts";
import { type Conduct, watchedIpc } from "./watched-ipc.ts";

/** A sync of an industrial SD card or eMMC, in virtual milliseconds: log-normal about the median. */
const SYNC_MS_MEDIAN = 3;
const SYNC_LOG_DEVIATION = 0.5;

/** What the components of one device share. */
export interface Surroundings {
  readonly thingName: string;
  readonly region: string;
  readonly clock: DeviceClock;
  /** As the cloud dates its answers. */
  readonly cloudTime: () => number;
  readonly random: SeededRandom;
  readonly root: HostedRoot;
  readonly links: HostedLinks;
  readonly models: SharedModels;
  readonly call: AwsCalls;
  /** Of the core device that runs now. */
  readonly service: () => IpcService;
  /** What one component may fill of the device's disk. */
  readonly workFolderBytesMax: number;
  readonly diskTrouble: () => DiskTrouble | undefined;
  /** Who sees what a component does. */
  readonly conductOf: (component: string) => Conduct;
  /** Adds what the load of a scenario asks of each component, such as lines of log. */
  readonly started?: (component: StartedComponent) => void;
}

export interface StartedComponent {
  readonly thingName: string;
  readonly component: string;
  readonly random: SeededRandom;
  readonly life: Life;
  /** A line on its standard output. */
  readonly write: (line: string) => void;
}

/** What of a component outlives its runs: its work folder, the models it copied there, and how often it started. */
interface Kept {
  readonly files: MemoryFiles;
  readonly models: Models;
  readonly use: Use;
  /** On the standard output of the process that runs. */
  write: (line: string) => void;
  starts: number;
}

/** The ports of every component of one device, made anew for each run. */
export class ComponentPorts {
  readonly #device: Surroundings;
  readonly #kept = new Map<string, Kept>();

  constructor(device: Surroundings) {
    this.#device = device;
  }

  readonly portsFor = (command: Command): HostedPorts => {
    const { clock, thingName, links, call } = this.#device;
    const { component } = command;
    const kept = this.#keptOf(component);
    const random = this.#device.random.fork(`${component}/${++kept.starts}`);
    const life = new Life();
    const write = (line: string): void => {
      if (!life.isOver) command.output("stdout", line);
    };
    kept.write = write;
    const log = jsonLog(component, clock, (line) => {
      kept.use.lines++;
      write(line);
    });
    let fail: (reason: string) => void = () => undefined;
    const failed = new Promise<string>((resolve) => (fail = resolve));
    const own = this.#process(command, (reason) => fail(`the component fails: ${reason}`));
    const chargesRandom = random.fork("charges");
    const spendSync = (): number => SYNC_MS_MEDIAN * Math.exp(SYNC_LOG_DEVIATION * chargesRandom.normal());
    const ipc = watchedIpc(
      ipcPort(this.#device.service(), component, { clock, log, process: own }),
      this.#device.conductOf(component),
    );
    this.#device.started?.({ thingName, component, random: random.fork("load"), life, write });
    return {
      ports: {
        clock: livingClock(clock, life),
        random,
        ipc: livingIpc(ipc, life),
        links: livingLinks(links, life),
        files: livingFiles(
          kept.use.files(troubledFiles(kept.files, this.#device.diskTrouble)),
          life,
          clock,
          spendSync,
        ),
        model: livingModels(kept.models, life),
        ...livingAws(awsPorts(call, this.#device.cloudTime), life),
        crypto: seededCrypto(random.fork("crypto")),
        log,
        process: own,
      },
      drop: () => {
        life.end();
        kept.files.crash();
      },
      close: async () => life.end(),
      failed,
    };
  };

  /** What each component said and holds, by its name. */
  uses(): ReadonlyMap<string, ComponentUse> {
    return new Map(
      [...this.#kept].map(
        ([
          component,
          {
            use: { lines, openFiles },
          },
        ]) => [component, { lines, openFiles }],
      ),
    );
  }

  /** A line on a component's standard output, as if it had said it. */
  write(component: string, line: string): void {
    this.#kept.get(component)?.write(line);
  }

  /** Bytes in the work folders, by component. */
  workFolderBytes(): ReadonlyMap<string, number> {
    return new Map([...this.#kept].map(([component, { files }]) => [component, files.usedBytes()]));
  }

  #keptOf(component: string): Kept {
    const { clock, root, models, random } = this.#device;
    const known = this.#kept.get(component);
    if (known !== undefined) return known;
    const made: Kept = {
      files: memoryFiles({
        capacityBytes: this.#device.workFolderBytesMax,
        now: () => clock.now(),
        foreign: (path) => hostedFolder(root.disk, relative(root.path, path)),
      }),
      models: models.of(random.fork(`${component}/models`), (folder) => root.realPath(folder) ?? folder),
      use: new Use(),
      write: () => undefined,
      starts: 0,
    };
    this.#kept.set(component, made);
    return made;
  }

  #process(command: Command, fail: (reason: string) => void): ComponentProcess {
    const { environment, component, componentVersion } = command;
    return {
      componentName: component,
      componentVersion,
      thingName: this.#device.thingName,
      region: this.#device.region,
      environment: (name) => environment[name],
      // One process holds them all: nobody's share can be told.
      memoryBytes: () => 0,
      fail,
    };
  }
}

/** A path below the device's root; any other is a folder that is not there. */
function relative(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : `outside/${path}`;
}
