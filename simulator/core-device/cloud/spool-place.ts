import type { Log } from "@coalmine/ports";
import type { DeviceRoot } from "../ports.ts";
import { DiskSpool } from "./disk-spool.ts";
import type { Spooler } from "./spooler.ts";

interface SpoolPlace {
  readonly storage: "Memory" | "Disk";
  /** Whether `aws.greengrass.DiskSpooler` is on the device. */
  readonly hasPlugin: boolean;
  readonly root: DeviceRoot;
  readonly log: Log;
}

/** Where messages to IoT Core wait in this run of the nucleus; without the plugin in memory, whatever is wanted. */
export async function placeSpool(
  spooler: Spooler,
  { storage, hasPlugin, root, log }: SpoolPlace,
): Promise<void> {
  if (storage === "Disk" && !hasPlugin)
    log.warn(
      "messages to IoT Core wait in memory: deploy aws.greengrass.DiskSpooler to have them on the disk",
    );
  const isForDisk = storage === "Disk" && hasPlugin;
  if (isForDisk && !spooler.isOnDisk) {
    const { spool, messages } = await DiskSpool.open(root, log);
    spooler.keepOnDisk(spool, messages);
  }
  if (!isForDisk && spooler.isOnDisk) await spooler.leaveDisk();
}
