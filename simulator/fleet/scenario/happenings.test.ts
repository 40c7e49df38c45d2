import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWitnessed } from "../evidence/witnessed-region.ts";
import { placedFleet } from "./fleet.ts";
import { happeningsOf, schedule, written } from "./happenings.ts";
import { parseFaults } from "./read-scenario.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const parse = (...faults: object[]) => parseFaults(JSON.stringify(faults), "faults.yaml");

/** Two devices with nothing but a nucleus, on a clock that stands. */
async function region() {
  const artifactFolder = mkdtempSync(join(tmpdir(), "faults-"));
  closing.push(() => rmSync(artifactFolder, { recursive: true }));
  const { region, events } = await openWitnessed({ devices: 2, seed: "1", artifactFolder, faultyShare: 0 });
  closing.push(() => region.close());
  const began = region.clock.now();
  const [device] = region.devices;
  if (device === undefined) throw new Error("the region has no device");
  return {
    region,
    events,
    device,
    began,
    plan: (...faults: object[]) =>
      schedule(region, happeningsOf(parse(...faults), "1", placedFleet(region)), "1"),
    drive: (seconds: number) => region.turn.run(began + seconds * 1000),
    asked: (service: string, operation: string, input: object = {}) =>
      region.cloud.invoke(service, operation, input).then(
        () => "answered",
        (failure: { code?: string }) => failure.code,
      ),
  };
}

test("faults on calls happen at their time and end at their end", async () => {
  const { region: driven, device, drive, asked, plan } = await region();
  const things = [device.thingName];
  const check = plan(
    { at: "100 s", for: "50 s", kind: "throttle", service: "iot", operation: "ListThings" },
    { at: "100 s", for: "50 s", kind: "slow", things, delay: "200 ms" },
    { at: "200 s", for: "50 s", kind: "drop-reply", service: "s3", operation: "ListBuckets" },
    { at: "300 s", kind: "jump-clock", by: "1 d" },
  );
  await drive(90);
  expect(await asked("iot", "ListThings")).toBe("answered");
  await drive(120);
  expect(await asked("iot", "ListThings")).toBe("ThrottlingException");
  expect(driven.cloud.faults.delayMs(device.thingName)).toBe(200);
  await drive(160);
  expect(await asked("iot", "ListThings")).toBe("answered");
  expect(driven.cloud.faults.delayMs(device.thingName)).toBe(0);
  await drive(210);
  expect(await asked("s3", "ListBuckets")).toBe("ECONNRESET");
  expect(check()).toMatchObject({
    ok: false,
    found: expect.stringContaining("no jump-clock struck anybody"),
  });
  await drive(310);
  expect(await asked("s3", "ListBuckets")).toBe("answered");
  expect(driven.cloudClock.now() - driven.clock.now()).toBe(86_400_000);
  expect(check()).toEqual({ name: "every fault happened", ok: true, found: "4 of 4" });
});

test("what is done to a device is undone at its end", async () => {
  const { region: driven, device, drive, plan, events } = await region();
  const things = [device.thingName];
  const seen: unknown[] = [];
  const check = plan(
    { at: "100 s", for: "60 s", kind: "cut", things },
    { at: "100 s", for: "60 s", kind: "disk-full", things },
    { at: "100 s", for: "60 s", kind: "clog", things },
    { at: "200 s", for: "60 s", kind: "power-cut", things },
    { at: "300 s", for: "60 s", kind: "clock-set", to: "1970-01-01T00:00:00Z", things },
    { at: "400 s", for: "60 s", kind: "clock-drift", ppm: 1000, things },
    { at: "500 s", for: "60 s", kind: "unplug", things },
    { at: "600 s", for: "60 s", kind: "certificate-expired", things },
    { at: "700 s", kind: "certificate-rotated", things },
    { at: "800 s", kind: "kill-nucleus", things },
    { at: "900 s", for: "60 s", kind: "swap", things },
  );
  const look = async (seconds: number, what: () => unknown) => {
    await drive(seconds);
    seen.push(what());
  };
  const error = () => Math.round(device.clock.now() - driven.clock.now());
  const ports = () => device.bench.links.list().then((all) => all.map(({ id }) => id));
  const { certificateId } = device;
  await look(130, () => [device.network.isOnline, device.diskTrouble]);
  await look(190, () => [device.network.isOnline, device.diskTrouble]);
  await look(210, () => device.hasPower);
  await look(270, () => device.hasPower);
  await look(310, () => [new Date(device.clock.now()).getUTCFullYear(), device.reachesCloud]);
  await look(370, () => [error(), device.reachesCloud]);
  await look(450, () => error());
  await look(470, () => error());
  expect(seen).toEqual([[false, "full"], [true, undefined], false, true, [1970, false], [0, true], 50, 0]);
  await drive(510);
  expect(await ports()).toEqual([]);
  await drive(590);
  expect(await ports()).toHaveLength(1);
  await drive(655);
  expect(device.core.isConnected).toBe(false);
  // The longest that the nucleus waits before it tries again.
  await drive(699);
  await drive(790);
  expect(device.certificateId).not.toBe(certificateId);
  await drive(950);
  expect(await ports()).toEqual([`${device.instrument.id}-swap1`]);
  await drive(1500);
  expect(device.core.isConnected).toBe(true);
  expect(await ports()).toHaveLength(2);
  expect(
    events.filter(({ kind, thingName }) => kind === "power" && thingName === device.thingName),
  ).toHaveLength(5);
  expect(check()).toMatchObject({ ok: true });
});

test("what nobody can do is told, and what names nobody is refused before anything happens", async () => {
  const { plan, drive, device } = await region();
  const check = plan({ at: "60 s", kind: "kill-component", component: "coalmine.SensorReader", devices: 1 });
  expect(() => plan({ at: "1 s", for: "1 s", kind: "cut", things: ["nobody"] })).toThrow(
    `there is no such device; they are ${device.thingName} to`,
  );
  expect(() => plan({ at: "1 s", for: "1 s", kind: "throttle", service: "lambda" })).toThrow(
    "There is no service lambda",
  );
  await drive(61);
  expect(check()).toMatchObject({ ok: false, found: "0 of 1; no kill-component struck anybody" });
});

test("the seed alone says whom and when, of each fault by itself, and what was written down is the same again", () => {
  const fleet = Array.from({ length: 20 }, (_, index) => ({
    thingName: `thing-${index}`,
    site: index < 5 ? "hospital" : "home",
    deviceClass: "gateway",
  }));
  const cut = { kind: "cut", perDay: 4, from: "1 h", until: "2 d", for: "1 min", site: "hospital" };
  const kill = { kind: "kill-nucleus", every: "6 h", from: "0 s", until: "1 d", share: 0.1 };
  const both = happeningsOf(parse(cut, kill), "7", fleet);
  const cuts = both.filter(({ of }) => of === 0);
  expect(new Set(cuts.flatMap(({ things }) => things))).toEqual(
    new Set(fleet.slice(0, 5).map(({ thingName }) => thingName)),
  );
  expect(Math.abs(cuts.length - (5 * 4 * 47) / 24)).toBeLessThan(20);
  expect(
    both.filter(({ of }) => of === 1).map(({ atMs, things }) => [atMs / 3_600_000, things?.length]),
  ).toEqual([
    [0, 2],
    [6, 2],
    [12, 2],
    [18, 2],
  ]);
  expect(happeningsOf(parse(cut), "7", fleet)).toEqual(cuts);
  const again = happeningsOf(parse(...written(both)), "7", fleet);
  expect(again.map(({ atMs, things }) => [atMs, things])).toEqual(
    both.map(({ atMs, things }) => [atMs, things]),
  );
  expect(happeningsOf(parse(cut), "8", fleet)).not.toEqual(cuts);
  expect(() => happeningsOf(parse({ ...kill, every: "1 s", until: "30 d" }), "7", fleet)).toThrow(
    "happen 2592000 times",
  );
});
