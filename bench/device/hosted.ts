import { SeededRandom, DrivenClock, silentLog } from "@coalmine/runtime";
import { CoreDevice } from "../../simulator/core-device/core-device.ts";
import { groupDocument, START } from "../../simulator/core-device/testing/device.ts";
import { MemoryCloud } from "../../simulator/core-device/testing/memory-cloud.ts";
import { memoryRoot } from "../../simulator/core-device/testing/memory-root.ts";
import { ScriptedLauncher } from "../../simulator/core-device/testing/scripted-launcher.ts";
import { drain } from "../../simulator/core-device/testing/services.ts";

/** `node hosted.ts COUNT`: so many hosted core devices with four components each; writes the bytes that they take. */
const count = Number(process.argv[2]);
const HOUR_MS = 3_600_000;
const names = ["A", "B", "C", "D"];
const clock = new DrivenClock(START, drain);
globalThis.gc?.();
const before = process.memoryUsage().rss;
const devices: CoreDevice[] = [];
for (let index = 0; index < count; index++) {
  const cloud = new MemoryCloud();
  for (const name of names) cloud.addComponent(name, "1.0.0", { Lifecycle: { Run: "stay" } });
  const components = Object.fromEntries(names.map((name) => [name, { version: "1.0.0" }]));
  const device = new CoreDevice({
    thingName: "T",
    region: "us-east-1",
    clock,
    random: new SeededRandom(`device ${index}`),
    root: memoryRoot(clock),
    cloudLink: cloud,
    dataPlane: cloud,
    launcher: new ScriptedLauncher(),
    platform: { os: "linux", architecture: "amd64" },
    nucleusVersion: "2.18.0",
    environment: {},
    log: silentLog,
  });
  await device.start();
  cloud.deployJob("job", groupDocument(1, components));
  devices.push(device);
}
await clock.runUntil(clock.now() + HOUR_MS);
const running = devices.filter(
  (device) => device.components().filter(({ state }) => state === "RUNNING").length === 4,
);
if (running.length !== count) throw new Error(`${running.length} of ${count} devices run their components`);
globalThis.gc?.();
process.stdout.write(`${JSON.stringify({ bytes: process.memoryUsage().rss - before })}\n`);
