import type { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import type { ScriptedProcess } from "../testing/scripted-launcher.ts";

const programs = (clock: DrivenClock) => ({
  slow: (process: ScriptedProcess) => void clock.timer(3000, () => process.exit(0)),
});

test("a job that a power cut interrupted and that ended offline is not carried out again [core-device-7.19]", async () => {
  const first = await deviceUnderTest({ programs });
  const { cloud } = first;
  cloud.addComponent("A", "1.0.0", { Lifecycle: { Install: "slow", Run: "stay" } });
  cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
  await first.run(2500);
  await first.device.cut();
  const second = await first.restarted();
  cloud.disconnect();
  await second.run(60_000);
  expect([second.stateOf("A"), second.device.isIdle]).toEqual(["RUNNING", true]);
  cloud.connect(true);
  await second.run(60_000);
  const begun = second.events.filter((event) => event.kind === "deployment" && event.result === undefined);
  expect(begun.length).toBe(1);
  expect(cloud.statusesOf("job").at(-1)?.["status"]).toBe("SUCCEEDED");
});
