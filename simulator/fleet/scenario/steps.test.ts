import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWitnessed } from "../evidence/witnessed-region.ts";
import { parseSteps, scheduleSteps } from "./steps.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const parse = (...steps: object[]) => parseSteps(JSON.stringify(steps), "steps.json");

/** Two devices with nothing but a nucleus, on a clock that stands. */
async function region() {
  const artifactFolder = mkdtempSync(join(tmpdir(), "steps-"));
  closing.push(() => rmSync(artifactFolder, { recursive: true }));
  const { region } = await openWitnessed({ devices: 2, seed: "1", artifactFolder, faultyShare: 0 });
  closing.push(() => region.close());
  const began = region.clock.now();
  const [device] = region.devices;
  if (device === undefined) throw new Error("the region has no device");
  return {
    region,
    device,
    drive: (seconds: number) => region.turn.run(began + seconds * 1000),
    asked: (service: string, operation: string, input: object = {}) =>
      region.cloud.invoke(service, operation, input).then(
        () => "answered",
        (failure: { code?: string }) => failure.code,
      ),
  };
}

test("each fault happens at its time and ends at its end", async () => {
  const { region: driven, device, drive, asked } = await region();
  const { thingName } = device;
  const check = scheduleSteps(
    driven,
    parse(
      { atSeconds: 100, kind: "throttle", service: "iot", operation: "ListThings", seconds: 50 },
      { atSeconds: 100, kind: "error", service: "logs", status: 503, count: 1 },
      { atSeconds: 100, kind: "slow", thing: thingName, delayMs: 200, seconds: 50 },
      { atSeconds: 200, kind: "drop-reply", service: "s3", operation: "ListBuckets", seconds: 50 },
      { atSeconds: 300, kind: "cut", thing: thingName, seconds: 60 },
      { atSeconds: 400, kind: "power-cut", thing: thingName, seconds: 60 },
      { atSeconds: 500, kind: "jump-clock", seconds: 86_400 },
    ),
  );
  await drive(90);
  expect(await asked("iot", "ListThings")).toBe("answered");
  expect(device.core.isConnected).toBe(true);

  await drive(120);
  expect(await asked("iot", "ListThings")).toBe("ThrottlingException");
  expect(driven.cloud.faults.delayMs(thingName)).toBe(200);
  expect(await asked("logs", "DescribeLogGroups")).toBe("ServiceUnavailableException");
  expect(await asked("logs", "DescribeLogGroups")).toBe("answered");
  await drive(160);
  expect(await asked("iot", "ListThings")).toBe("answered");
  expect(driven.cloud.faults.delayMs(thingName)).toBe(0);

  await drive(210);
  expect(await asked("s3", "ListBuckets")).toBe("ECONNRESET");
  await drive(260);
  expect(await asked("s3", "ListBuckets")).toBe("answered");

  await drive(310);
  expect(device.network.isOnline).toBe(false);
  await drive(370);
  expect(device.network.isOnline).toBe(true);

  await drive(410);
  expect(device.hasPower).toBe(false);
  await drive(470);
  expect(device.hasPower).toBe(true);

  expect(driven.cloudClock.now()).toBe(driven.clock.now());
  expect(check().ok).toBe(false);
  await drive(510);
  expect(driven.cloudClock.now() - driven.clock.now()).toBe(86_400_000);
  expect(check()).toEqual({ name: "every step happened", ok: true, found: "7 of 7" });
});

test("a step that cannot be done at its time is told", async () => {
  const { region: driven, device, drive } = await region();
  const { thingName: thing } = device;
  const component = "coalmine.SensorReader";
  const check = scheduleSteps(driven, parse({ atSeconds: 60, kind: "kill-component", thing, component }));
  await drive(61);
  expect(check()).toMatchObject({
    ok: false,
    found: `0 of 1; at 60 s: ${component} does not run on ${thing}.`,
  });
});

test("steps that name what is not there are refused before anything happens", async () => {
  const { region: driven } = await region();
  const schedule = (step: object) => () => scheduleSteps(driven, parse({ atSeconds: 1, ...step }));
  expect(schedule({ kind: "cut", thing: "nobody", seconds: 1 })).toThrow("There is no thing nobody.");
  expect(schedule({ kind: "throttle", service: "lambda", seconds: 1 })).toThrow("There is no service lambda");
  expect(schedule({ kind: "error", service: "s3", operation: "Fly", seconds: 1 })).toThrow(
    "s3 has no operation Fly",
  );
});

test("what cannot be read says which step and why", () => {
  const refused = (step: object) => () => parse({ atSeconds: 0, kind: "jump-clock", seconds: 1 }, step);
  expect(() => parseSteps("[", "steps.json")).toThrow("steps.json is not JSON");
  expect(refused({ kind: "cut" })).toThrow("atSeconds");
  expect(refused({ atSeconds: 1, kind: "explode" })).toThrow("step 2 of steps.json cannot be read");
  expect(refused({ atSeconds: 1, kind: "cut", share: 0.5 })).toThrow("say when it ends: give seconds");
  expect(refused({ atSeconds: 1, kind: "cut", seconds: 5 })).toThrow("say either thing or share");
  expect(refused({ atSeconds: 1, kind: "restore", share: 1 })).toThrow("a cut ends by its seconds");
  expect(refused({ atSeconds: 1, kind: "throttle", service: "s3" })).toThrow("say when it ends");
  expect(refused({ atSeconds: 1, kind: "jump-clock", seconds: -1 })).toThrow("seconds");
});
