import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { until, processesIn, processRig } from "../../simulator/core-device/testing/process-rig.ts";
import { memoryOfTree } from "../../simulator/fleet/process/process-tree.ts";
import { atMost, inTurn, median, type Metrics, ratio } from "../measure.ts";

const SETTLE_MS = 5000;
const HOSTED = 1000;
const GIB = 1024 ** 3;
const names = ["bench.A", "bench.B", "bench.C", "bench.D"];

/** What a core device weighs as a process and hosted, and how soon its components run when all is installed. */
export async function bench(say: (sentence: string) => void): Promise<Metrics> {
  const rig = await processRig();
  try {
    say("a process device without components, against a bare node");
    const root = await rig.rootOf(await rig.operator.register("core-1"));
    const memory = await inTurn({
      device: async () => weigh(await rig.start(root)),
      bare: () => weigh(spawn(process.execPath, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "ignore" })),
    });
    say("four installed components, from the start of the device to the last of them RUNNING");
    for (const name of names)
      await rig.operator.publish(name, "1.0.0", {
        Lifecycle: { Run: `exec "${process.execPath}" -e "setInterval(() => {}, 1e9)"` },
      });
    const first = await rig.start(root);
    await rig.operator.deploy(
      "thinggroup/fleet",
      Object.fromEntries(names.map((name) => [name, { componentVersion: "1.0.0" }])),
    );
    await until("four run", async () => (await processesIn(root)).length === names.length);
    await until("the deployment succeeds", async () =>
      (await rig.operator.effective("core-1")).includes("SUCCEEDED"),
    );
    await ended(first);
    const { starts } = await inTurn({
      starts: async () => {
        const begun = performance.now();
        const device = await rig.start(root);
        await until("four run", async () => (await processesIn(root)).length === names.length);
        const seconds = (performance.now() - begun) / 1000;
        await ended(device);
        return seconds;
      },
    });
    say(`${HOSTED} hosted core devices with four components each, without bundles`);
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--expose-gc",
      join(import.meta.dirname, "hosted.ts"),
      String(HOSTED),
    ]);
    const { bytes } = z.object({ bytes: z.number() }).parse(JSON.parse(stdout));
    return {
      "process device": { value: median(memory.device) / 1024 ** 2, unit: "MiB" },
      "of a bare node": atMost(ratio(memory.device, memory.bare), "", 2),
      "start to four RUNNING": atMost(median(starts), "s", 3),
      [`${HOSTED} hosted core devices, without bundles`]: { value: bytes / GIB, unit: "GiB" },
      "load average": { value: loadavg()[0] ?? Number.NaN, unit: "" },
    };
  } finally {
    await rig.close();
  }
}

/** Proportional set size of a process that has come to rest, in bytes; it is ended then. */
async function weigh(child: ReturnType<typeof spawn>): Promise<number> {
  await systemClock.sleep(SETTLE_MS);
  const { pssBytes } = await memoryOfTree(child.pid ?? 0);
  await ended(child);
  return pssBytes;
}

async function ended(child: ReturnType<typeof spawn>): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}
