import { ipcPort } from "@coalmine/ipc";
import type { Ipc, JsonObject } from "@coalmine/ports";
import { silentLog } from "@coalmine/runtime";
import type { deviceUnderTest } from "./device.ts";
import { groupDocument } from "./device.ts";

type Device = Awaited<ReturnType<typeof deviceUnderTest>>;

/** A component's end of IPC, by plain calls to the same service that frames carry to processes. */
export function ipcOf(it: Device, component: string): Ipc {
  const process = { fail: () => undefined };
  return ipcPort(it.device.service, component, { clock: it.clock, log: silentLog, process });
}

/** Policies for a recipe's default configuration. */
export function allowed(service: string, operations: string[], resources: string[]): JsonObject {
  return {
    accessControl: {
      [service]: { policy: { operations: operations.map((name) => `aws.greengrass#${name}`), resources } },
    },
  };
}

/** Brings components with these default configurations onto the device, all of them running. */
export async function install(
  it: Device,
  components: Record<string, JsonObject>,
  revision = 1,
): Promise<void> {
  for (const [name, Configuration] of Object.entries(components))
    it.cloud.addComponent(name, "1.0.0", { Lifecycle: { Run: "stay" }, Configuration });
  const versions = Object.fromEntries(Object.keys(components).map((name) => [name, { version: "1.0.0" }]));
  it.cloud.deployJob(`install-${revision}`, groupDocument(revision, versions));
  await it.run(5000);
}
