import { createClient, createDefaultClientConfig } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";

/** Long enough for a first request to have failed. */
const COLLECT_AFTER_MS = 3000;

/** The official IPC client, which every component has, and then nothing more to do: as a component, it collects once. */
export function idle(): void {
  const client = createClient({ ...createDefaultClientConfig(), hostName: "/nowhere" });
  setTimeout(() => globalThis.gc?.(), COLLECT_AFTER_MS);
  setInterval(() => client.removeAllListeners("nothing"), 3_600_000);
}
