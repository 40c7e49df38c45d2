import { access, constants, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { SystemResourceLimits } from "../ports.ts";

const CONTROLLERS = ["cpu", "memory"];
const PERIOD_US = 100_000;

/**
 * What components may use of memory and processors, by groups of the kernel (cgroup v2): one for the device, below it
 * one for each component.
 */
export class CgroupLimits {
  readonly #folder: string;
  readonly #made = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined where this machine or this user cannot; the log says so once, and why. */
  static async open(root: string, thingName: string, log: Log): Promise<CgroupLimits | undefined> {
    const folder = join(root, `greengrass-${thingName}`);
    try {
      const has = (await readFile(join(root, "cgroup.controllers"), "utf8")).trim().split(" ");
      const missing = CONTROLLERS.filter((name) => !has.includes(name));
      if (missing.length > 0) throw new Error(`the kernel gives no controller ${missing.join(", ")} there`);
      const enabled = CONTROLLERS.map((name) => `+${name}`).join(" ");
      const control = join(root, "cgroup.subtree_control");
      await access(control, constants.W_OK);
      await writeFile(control, enabled);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "cgroup.subtree_control"), enabled);
      return new CgroupLimits(folder);
    } catch (failure) {
      log.info("systemResourceLimits limit nothing here: they need cgroup v2 that this user may write", {
        root,
        why: messageOf(failure),
      });
      return undefined;
    }
  }

  /** Sets the limits of a component; what is not there is without limit. What runs already is bound by them at once. */
  async set(component: string, limits: SystemResourceLimits | undefined): Promise<void> {
    const folder = join(this.#folder, component);
    await mkdir(folder, { recursive: true });
    this.#made.add(component);
    const { memory, cpus } = limits ?? {};
    await writeFile(
      join(folder, "memory.max"),
      memory !== undefined && memory > 0 ? String(memory * 1024) : "max",
    );
    const quota = cpus !== undefined && cpus > 0 ? String(Math.max(1, Math.round(cpus * PERIOD_US))) : "max";
    await writeFile(join(folder, "cpu.max"), `${quota} ${PERIOD_US}`);
  }

  /** A process that writes its id there is the component's, with all that it starts; undefined before `set`. */
  entranceOf(component: string): string | undefined {
    return this.#made.has(component) ? join(this.#folder, component, "cgroup.procs") : undefined;
  }

  /** The groups go when nothing runs in them any more. */
  async close(): Promise<void> {
    for (const component of this.#made) await rmdir(join(this.#folder, component)).catch(() => undefined);
    await rmdir(this.#folder).catch(() => undefined);
  }
}
