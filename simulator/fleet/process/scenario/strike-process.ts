import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { invariant } from "@coalmine/runtime";
import type { ScenarioFault } from "../../scenario/fault-kinds.ts";
import { deviceNamed, type ProcessWorld } from "./process-world.ts";

/** What can be done to a process of this machine, a line, a disk or a cable; the rest is for hosted devices. */
const processKinds = ["cut", "power-cut", "kill-nucleus", "kill-component", "disk-full", "unplug"] as const;
type ProcessFault = Extract<ScenarioFault, { kind: (typeof processKinds)[number] }>;

export function isForProcesses(fault: ScenarioFault): fault is ProcessFault {
  return processKinds.some((kind) => kind === fault.kind);
}

export const processFaultKinds: readonly string[] = processKinds;

/** Strikes one device; resolves, once it is over, with whether there was anything to strike. */
export async function strikeProcess(
  world: ProcessWorld,
  fault: ProcessFault,
  name: string,
  clock: Clock,
): Promise<boolean> {
  const device = deviceNamed(world, name);
  invariant(device !== undefined, `there is no process device ${name}`);
  switch (fault.kind) {
    case "kill-component":
      return (await device.killComponent(fault.component)) > 0;
    case "kill-nucleus":
      // Whoever keeps it running starts it again.
      device.process.crash();
      break;
    case "power-cut":
      await device.process.cutPower();
      await clock.sleep(fault.for);
      await device.process.start();
      break;
    case "cut": {
      const relays = world.relays.get(name) ?? [];
      for (const relay of relays) relay.cut();
      await clock.sleep(fault.for);
      for (const relay of relays) relay.mend();
      return relays.length > 0;
    }
    case "disk-full": {
      const disk = world.disks.get(name);
      invariant(disk !== undefined, `${name} has no disk of its own`);
      disk.fill();
      await clock.sleep(fault.for);
      disk.free();
      break;
    }
    case "unplug": {
      const pulled = join(world.fleet.unplugged, device.site.instrument);
      writeFileSync(pulled, "");
      await clock.sleep(fault.for);
      rmSync(pulled);
    }
  }
  return true;
}
