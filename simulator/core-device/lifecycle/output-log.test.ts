import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { memoryRoot } from "../testing/memory-root.ts";
import { drain, servicesUnderTest } from "../testing/services.ts";
import { LOG_FILE_BYTES, LOG_TOTAL_BYTES, OutputLog } from "./output-log.ts";

test("a JSON line goes to the log as it is, any other with time, level and name [core-device-5.1]", async () => {
  const clock = new DrivenClock(Date.UTC(2026, 10, 23, 8, 30), drain);
  const root = memoryRoot(clock);
  const log = new OutputLog(root, clock, "A");
  log.write("stdout", '{"level":"INFO","message":"x"}', "scriptName=run");
  log.write("stderr", "oh no", "scriptName=run");
  await log.drained();
  expect(await root.readText("logs/A.log")).toBe(
    '{"level":"INFO","message":"x"}\n2026-11-23T08:30:00.000Z [WARN] (Copier) A: stderr. oh no. {scriptName=run, serviceName=A}\n',
  );
});

test("logs rotate at 1 MB under the hour's name, and the oldest go when there are 10 MB [core-device-5.2]", async () => {
  const clock = new DrivenClock(Date.UTC(2026, 10, 23, 8), drain);
  const root = memoryRoot(clock);
  const log = new OutputLog(root, clock, "A");
  for (let hour = 0; hour < 15; hour++) {
    log.write("stdout", JSON.stringify({ hour, fill: "x".repeat(LOG_FILE_BYTES - 100) }), "");
    await log.drained();
    await clock.runUntil(clock.now() + 3_600_000);
  }
  const names = await root.list("logs");
  expect(names).toContain("A_2026_11_23_22_0.log");
  expect(names).not.toContain("A_2026_11_23_09_0.log");
  let total = 0;
  for (const name of names) total += await root.sizeOf(`logs/${name}`);
  expect(total).toBeLessThanOrEqual(LOG_TOTAL_BYTES);
  expect(total).toBeGreaterThan(LOG_TOTAL_BYTES - 2 * LOG_FILE_BYTES);
});

test("a nucleus told other sizes rotates at those, and the oldest go also within an hour [core-device-5.2] [core-device-5.3]", async () => {
  const device = servicesUnderTest();
  const logging = { fileSizeKB: 1, totalLogsSizeKB: "3" };
  device.tree.merge(["services", "aws.greengrass.Nucleus", "configuration"], { logging }, 1);
  for (let run = 0; run < 8; run++) {
    device.configure("A", { Run: `${`say of run ${run}, so many bytes;`.repeat(5)} stay` });
    device.services.apply(false);
    await device.run(10);
  }
  await device.services.stop();
  const names = (await device.root.list("logs")).filter((name) => name.startsWith("A"));
  const texts = await Promise.all(names.map((name) => device.root.readText(`logs/${name}`)));
  const runs = texts.map((text) => /of run (\d)/.exec(text ?? "")?.[1]);
  expect(new Set(runs)).toEqual(new Set(["4", "5", "6", "7"]));
});
