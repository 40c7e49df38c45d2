import type { Log } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { NUCLEUS } from "../deployment/plan.ts";
import { DISK_SPOOLER } from "../ipc/plugins.ts";
import type { DeviceRoot } from "../ports.ts";
import { DiskSpool } from "./disk-spool.ts";
import { spoolSettings, type SpoolSettings } from "./spool-settings.ts";
import type { Spooler } from "./spooler.ts";

interface SpoolPlace {
  readonly tree: ConfigurationTree;
  readonly root: DeviceRoot;
  readonly log: Log;
}

/** As the nucleus is configured. */
export function spoolSettingsIn(tree: ConfigurationTree): SpoolSettings {
  return spoolSettings(tree.getObject(["services", NUCLEUS, "configuration", "mqtt"]));
}

/** Where messages to IoT Core wait in this run of the nucleus; without the plugin in memory, whatever is wanted. */
export async function placeSpool(spooler: Spooler, { tree, root, log }: SpoolPlace): Promise<void> {
  const isWanted = spoolSettingsIn(tree).storage === "Disk";
  const hasPlugin = tree.find(["services", DISK_SPOOLER, "version"]) !== undefined;
  if (isWanted && !hasPlugin)
    log.warn(
      "messages to IoT Core wait in memory: deploy aws.greengrass.DiskSpooler to have them on the disk",
    );
  const isForDisk = isWanted && hasPlugin;
  if (isForDisk && !spooler.isOnDisk) {
    const { spool, messages } = await DiskSpool.open(root, log);
    spooler.keepOnDisk(spool, messages);
  }
  if (!isForDisk && spooler.isOnDisk) await spooler.leaveDisk();
}
