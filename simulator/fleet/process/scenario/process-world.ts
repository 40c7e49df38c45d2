import type { StartedCloud } from "../../../cloud/start-cloud.ts";
import type { ProcessDevice } from "../process-device.ts";
import type { ProcessFleet } from "../process-fleet.ts";
import type { Relay } from "../relay.ts";
import type { SmallDisk } from "../small-disk.ts";

/** A fleet of process devices with its cloud, and what can be done to each device from outside. */
export interface ProcessWorld {
  readonly cloud: StartedCloud["cloud"];
  readonly fleet: ProcessFleet;
  /** By device: every way that it has to its cloud. */
  readonly relays: ReadonlyMap<string, readonly Relay[]>;
  /** By device, where the scenario fills disks: the one that its components' work folders are on. */
  readonly disks: ReadonlyMap<string, SmallDisk>;
}

export function deviceNamed({ fleet }: Pick<ProcessWorld, "fleet">, name: string): ProcessDevice | undefined {
  return fleet.devices.find((device) => device.name === name);
}
