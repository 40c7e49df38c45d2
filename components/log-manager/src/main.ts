import { cloudWatchLogs } from "@coalmine/device/cloud-logs";
import { connectGreengrassIpc } from "@coalmine/device/greengrass-ipc";
import { s3Objects } from "@coalmine/device/objects";
import { runComponent } from "@coalmine/device/run";
import { workFiles } from "@coalmine/device/work-files";
import { portsVersion, start } from "./component.ts";

await runComponent({ portsVersion, start }, async (base) => ({
  ...base,
  ipc: await connectGreengrassIpc(base),
  // Greengrass starts a component in its own work folder.
  files: workFiles(process.cwd(), base.clock),
  cloudLogs: cloudWatchLogs({ region: base.process.region }),
  objects: s3Objects({ region: base.process.region }),
}));
