import { isMainThread } from "node:worker_threads";
import { modelWorkers } from "@coalmine/device/model-worker";

// A model's worker thread begins in this file too, and has no use for the rest of it.
if (isMainThread) {
  const { connectGreengrassIpc } = await import("@coalmine/device/greengrass-ipc");
  const { runComponent } = await import("@coalmine/device/run");
  const { portsVersion, start } = await import("./component.ts");
  await runComponent({ portsVersion, start }, async (base) => ({
    ...base,
    ipc: await connectGreengrassIpc(base),
    // Greengrass starts a component in its own work folder.
    model: modelWorkers(process.cwd(), base.clock),
  }));
}
