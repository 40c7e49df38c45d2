import { setTimeout as sleep } from "node:timers/promises";
import { engine } from "../../components/inference/test/engine.fixture.ts";
import { idleThread } from "../../components/inference/test/lateness.fixture.ts";
import { Load } from "../../components/inference/test/load.fixture.ts";
import { variant } from "../../components/inference/test/model-variants.fixture.ts";
import { atMost, type Metrics } from "../measure.ts";

/** Of 5 ms each, for the first result of a model: a minute. */
const WAITS_MAX = 12_000;

/** Swaps to and fro under 1,000 windows a second: what the main loop, and the results, have to wait. */
export async function swapStall(swaps: number): Promise<Metrics> {
  const device = await engine();
  const references = [await device.place("1.0.0"), await device.place("2.0.0", variant("good"))];
  const idle = idleThread();
  const load = new Load(device, 1000);
  for (let swap = 1; swap <= swaps; swap++) {
    const model = references[swap % 2];
    if (model !== undefined) device.configure({ model });
    // A swap that nothing was scored by before the next one came would be none.
    for (let waits = 0; load.models.length <= swap && waits < WAITS_MAX; waits++) await sleep(5);
  }
  await sleep(200);
  load.stop();
  const idleLateness = await idle.stop();
  await device.close();
  if (load.models.length !== swaps + 1)
    throw new Error(`${load.models.length} models served in turn where ${swaps + 1} should`);
  return {
    swapStallP999: atMost(load.lateness.quantileMs(0.999), "ms", 10),
    idleThreadP999: { value: idleLateness.quantileMs(0.999), unit: "ms" },
    swapResultGapMax: { value: load.gapMsMax, unit: "ms" },
    swapWindowsLost: atMost(Math.max(0, load.windows - load.results), "windows", 0),
    swapWindowsAstray: atMost(load.astray, "windows", 0),
  };
}
