import { loadavg } from "node:os";
import { dirname } from "node:path";
import { until, processesIn, processRig } from "../../simulator/core-device/testing/process-rig.ts";
import { coreDevice, setup as buildArtifacts } from "../../test/artifacts-setup.ts";
import { hosted } from "../fleet/hosted.ts";
import { atMost, inTurn, median, type Metrics } from "../measure.ts";
import { ended, weights } from "./weight.ts";

/** Fewer, where a machine is to do something else too: what is measured then is not what is demanded. */
const HOSTED = Number(process.env["COALMINE_BENCH_DEVICES"] ?? 1000);
/** By then every hour's work has been done once; `bench -- fleet` has the day. */
const HOSTED_HOURS = 1;
const GIB = 1024 ** 3;
const names = ["bench.A", "bench.B", "bench.C", "bench.D"];

/** What a core device weighs as a process and hosted, and how soon its components run when all is installed. */
export async function bench(say: (sentence: string) => void): Promise<Metrics> {
  await buildArtifacts();
  const rig = await processRig(await coreDevice());
  try {
    say("a process device without components, the libraries alone, a bare node: each at rest, five times;");
    say(`meanwhile ${HOSTED} hosted devices for ${HOSTED_HOURS} h at the reference load, from the bundles`);
    const root = await rig.rootOf(await rig.operator.register("core-1"));
    const [memory, { bytesMax }] = await Promise.all([
      weights(rig, root, dirname(dirname(import.meta.dirname))),
      // What it weighs does not wait for what it measured last to arrive.
      hosted(rig.folder, HOSTED, HOSTED_HOURS, { cutOff: true }),
    ]);
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
    return {
      ...memory,
      "start to four RUNNING": atMost(median(starts), "s", 3),
      // With the simulated cloud that they share a process with.
      [`${HOSTED} hosted devices at the reference load`]: atMost(bytesMax / GIB, "GiB", 2.5),
      "load average": { value: loadavg()[0] ?? Number.NaN, unit: "" },
    };
  } finally {
    await rig.close();
  }
}
