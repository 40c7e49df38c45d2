import { silentLog } from "@coalmine/runtime";
import { engine, manifest, windowOf } from "./engine.fixture.ts";
import { variant } from "./model-variants.fixture.ts";

/**
 * A program: a model that never returns from one window. It says what became of the windows and how the component
 * ended, and is ended by whoever started it: a thread that hangs in native code lets no process end by itself.
 */
const device = await engine({}, silentLog, {
  fail: (reason) =>
    console.log(JSON.stringify({ ended: reason, failed: device.health.count("failedWorker"), results })),
  runMsMax: 1000,
});
let results = 0;
device.results(() => results++);
device.configure({ model: await device.place("2.0.0", variant("sticky")) });
while (device.health.count("modelSwaps") === 0) await new Promise((resolve) => setTimeout(resolve, 20));
// Its probation is over with these: no model before it is left to come back.
for (let sequence = 0; sequence < 10; sequence++) device.inference.takeWindow(windowOf(sequence));
while (results < 10) await new Promise((resolve) => setTimeout(resolve, 20));
device.inference.takeWindow({ ...windowOf(10), input: new Float32Array(manifest.input.width) });
device.inference.takeWindow(windowOf(11));
setInterval(() => device.inference.report(), 500);
