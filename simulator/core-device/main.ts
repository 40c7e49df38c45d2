import { parseArgs } from "node:util";
import { collectWhenIdle } from "@coalmine/device/idle-memory";
import { messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { startProcessDevice } from "./process/process-device.ts";

/** `node simulator/core-device/main.ts --root DIR`: one core device as a process, until SIGTERM or SIGINT. As root it runs
 * components as the user that they, the nucleus's configuration or `--component-default-user` name. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { root: { type: "string" }, "component-default-user": { type: "string" } },
  });
  if (values.root === undefined) {
    process.stderr.write(
      "usage: main.ts --root DIR [--component-default-user USER[:GROUP]], where DIR/config/config.yaml is the device's configuration\n",
    );
    return 2;
  }
  const asked = new Promise<void>((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
  const { thingName, stop } = await startProcessDevice({
    root: values.root,
    clock: systemClock,
    random: systemRandom,
    environment: process.env,
    componentDefaultUser: values["component-default-user"],
  });
  process.stdout.write(`core device ${thingName} is up\n`);
  collectWhenIdle(systemClock);
  await asked;
  await stop();
  return 0;
}

try {
  process.exit(await main());
} catch (failure) {
  process.stderr.write(`${messageOf(failure)}\n`);
  process.exit(1);
}
