import { connectGreengrassIpc } from "@coalmine/device/greengrass-ipc";
import { s3Objects } from "@coalmine/device/objects";
import { runComponent } from "@coalmine/device/run";
import { awsStreams } from "@coalmine/device/streams";
import { workFiles } from "@coalmine/device/work-files";
import { portsVersion, start } from "./component.ts";

await runComponent({ portsVersion, start }, async (base) => ({
  ...base,
  ipc: await connectGreengrassIpc(base),
  // The nucleus starts a component in its work folder.
  files: workFiles(process.cwd(), base.clock),
  objects: s3Objects({ region: base.process.region }),
  streams: awsStreams({ region: base.process.region }),
}));
