import { systemClock } from "@coalmine/runtime/system-clock";
import type { ReleaseRegion } from "../../release/release-region.ts";
import type { ProcessWorld } from "./process-world.ts";

/** A region on the wall's clock, which nobody drives: time passes by itself, and whoever changes something need not wait. */
export function wallRegion({ cloud, fleet }: Pick<ProcessWorld, "cloud" | "fleet">): ReleaseRegion {
  return {
    cloud,
    clock: systemClock,
    devices: fleet.devices.map(({ name }) => ({ thingName: name })),
    turn: {
      run: (until) => systemClock.sleep(Math.max(0, until - systemClock.now())),
      change: (work) => work(),
    },
  };
}
