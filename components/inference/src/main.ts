import { connectGreengrassIpc } from "@coalmine/device/greengrass-ipc";
import { modelWorkers } from "@coalmine/device/model-worker";
import { runComponent } from "@coalmine/device/run";
import { portsVersion, start } from "./component.ts";

await runComponent({ portsVersion, start }, async (base) => ({
  ...base,
  ipc: await connectGreengrassIpc(base),
  // Greengrass starts a component in its own work folder.
  model: modelWorkers(process.cwd(), base.clock),
}));
