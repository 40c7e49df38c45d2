import { execFile } from "node:child_process";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { until, processesIn, processRig } from "../../simulator/core-device/testing/process-rig.ts";
import { coreDevice } from "../../test/artifacts-setup.ts";
import { atMost, inTurn, median, type Metrics } from "../measure.ts";
import { ended, weights } from "./weight.ts";

const HOSTED = 1000;
const GIB = 1024 ** 3;
const names = ["bench.A", "bench.B", "bench.C", "bench.D"];

/** What a core device weighs as a process and hosted, and how soon its components run when all is installed. */
export async function bench(say: (sentence: string) => void): Promise<Metrics> {
  const rig = await processRig(await coreDevice());
  try {
    say("a process device without components, the libraries alone, a bare node: each at rest, five times");
    const root = await rig.rootOf(await rig.operator.register("core-1"));
    const memory = await weights(rig, root, dirname(dirname(import.meta.dirname)));
    say("four installed components, from the start of the device to the last of them RUNNING");
    for (const name of names)
      await rig.operator.publish(name, "1.0.0", {
        Lifecycle: { Run: `exec "${process.execPath}" -e "setInterval(() => {}, 1e9)"` },
      });
    const first = await rig.start(root);
    const components = Object.fromEntries(names.map((name) => [name, { componentVersion: "1.0.0" }]));
    // A version is deployable some moments after it is made.
    await until("a deployment is taken", () =>
      rig.operator.deploy("thinggroup/fleet", components).then(
        () => true,
        () => false,
      ),
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
      ...memory,
      "start to four RUNNING": atMost(median(starts), "s", 3),
      [`${HOSTED} hosted core devices, without bundles`]: { value: bytes / GIB, unit: "GiB" },
      "load average": { value: loadavg()[0] ?? Number.NaN, unit: "" },
    };
  } finally {
    await rig.close();
  }
}
