import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { InstalledComponent } from "./installed-components.ts";
import { memoryOfTree, startedWith, treeOf, type TreeMemory } from "./process-tree.ts";
import type { SupervisedProcess } from "./supervised-process.ts";

/** Where one device stands, and what is plugged into it. */
export interface DeviceSite {
  /** Serial number, which becomes the thing's name. */
  readonly name: string;
  /** The core device's folder; commissioning writes `config/config.yaml` there. */
  readonly root: string;
  /** Holds the names of its serial ports. */
  readonly serialFolder: string;
  readonly instrument: string;
}

const LOG_LINES = 5;
const LOG_LINE_CHARACTERS_MAX = 300;

/** One core device as a process of this machine, with everything that it starts. */
export class ProcessDevice {
  readonly site: DeviceSite;
  readonly process: SupervisedProcess;

  constructor(site: DeviceSite, supervised: SupervisedProcess) {
    this.site = site;
    this.process = supervised;
  }

  get name(): string {
    return this.site.name;
  }

  /** Of the core device and its components; nothing where it does not run. */
  async memory(): Promise<TreeMemory> {
    const { pid } = this.process;
    return pid === undefined ? { processes: 0, pssBytes: 0 } : memoryOfTree(pid);
  }

  /** SIGKILL to the processes of one component; resolves with how many there were. */
  async killComponent(component: string): Promise<number> {
    const own = await this.#processesOf(component);
    for (const id of own) process.kill(id, "SIGKILL");
    return own.length;
  }

  /** By what recipes set, below the core device that runs now: one that crashed may have left others. */
  async #processesOf(component: string): Promise<readonly number[]> {
    const { pid } = this.process;
    const below = new Set(pid === undefined ? [] : await treeOf(pid));
    return (await startedWith("COALMINE_COMPONENT", component)).filter((id) => below.has(id));
  }

  /** The last lines of a component's log, or of `greengrass`. */
  async lastLogLines(component: string): Promise<readonly string[]> {
    const text = await readFile(join(this.site.root, "logs", `${component}.log`), "utf8").catch(() => "");
    return text
      .trimEnd()
      .split("\n")
      .slice(-LOG_LINES)
      .map((line) => line.slice(0, LOG_LINE_CHARACTERS_MAX));
  }

  /** One sentence a component that is not up, with what its log says last; none when all are. */
  async complaints(
    wanted: readonly string[],
    installed: readonly InstalledComponent[],
  ): Promise<readonly string[]> {
    const told = await Promise.all(
      wanted.map(async (name) => {
        const state = installed.find((component) => component.name === name)?.state;
        const problem = await this.#problemOf(name, state);
        if (problem === undefined) return [];
        const lines = await this.lastLogLines(state === undefined ? "greengrass" : name);
        return [`${this.name}: ${name} ${problem}; last lines: ${lines.join(" | ")}`];
      }),
    );
    return told.flat();
  }

  async #problemOf(component: string, state: string | undefined): Promise<string | undefined> {
    if (state === undefined) return "is not installed";
    // A component without a run script is done when it is installed.
    if (state === "FINISHED") return undefined;
    if (state !== "RUNNING") return `is ${state}`;
    // The cloud is told of a crash of the whole device only when it is back.
    return (await this.#processesOf(component)).length > 0
      ? undefined
      : "is RUNNING to the cloud, and has no process here";
  }
}
