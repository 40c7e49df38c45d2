import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { FleetHistory } from "../pipeline/judge/plan.ts";
import type { DeviceZones } from "../pipeline/policy-windows.ts";
import { parsePolicy } from "../pipeline/policy.ts";
import { plan } from "./plan.ts";

const text = readFileSync(new URL("../pipeline/policy.yaml", import.meta.url), "utf8");
const policy = parsePolicy(text);

/** Two days of a fleet in which a share of the devices loses a heartbeat now and then. */
function history(devices: number): FleetHistory {
  const things = Array.from({ length: devices }, (_, index) => `d${index}`);
  return {
    devices: things.map((thing) => ({ thing, stratum: "all", cluster: thing })),
    bucketMs: 1_800_000,
    metrics: Object.fromEntries(
      policy.metrics.map(({ name }) => [
        name,
        things.map((_, device) =>
          Array.from({ length: 96 }, (_, bucket): [number, number] => [
            29 + ((device * 7 + bucket * 3) % 4 === 0 ? 0 : 1),
            30,
          ]),
        ),
      ]),
    ),
  };
}

const fleet = (devices: number, zones: DeviceZones = {}) => ({
  history: history(devices),
  zones,
  nowMs: Date.parse("2026-07-01T12:00:00Z"),
});

test("says what the canary finds in 1, 6 and 24 hours, the smallest p, and the chance of an unchanged release", async () => {
  const planned = await plan(policy, "driven", fleet(50));
  expect(planned.plan.smallestP).toBeLessThanOrEqual(0.005);
  const text = planned.sentences.join("\n");
  expect(text).toMatch(
    /10 of 50 devices of driven are drawn \(the policy says so\); the smallest p that can be reached is 0\.0005/,
  );
  expect(text).toMatch(/model run: finds [\d.]+× in 6 h, [\d.]+× in 24 h\./);
  expect(text).toMatch(/promoted in at least [\d.]+ % of rollouts/);
});

test("refuses a policy whose canary leaves no baseline, with the arithmetic", async () => {
  const planned = await plan(policy, "driven", fleet(8));
  expect(planned.refusals.join(" ")).toMatch(/10 canary devices of a fleet of 8 leave no baseline/);
  expect(planned.sentences).toEqual(expect.arrayContaining([...planned.refusals]));
});

test("says when the window opens, and refuses one that never does, with the hours of each zone [rollout-9.4]", async () => {
  const at = (windows: string) =>
    parsePolicy(text.replace("canaryDevices: 10\n", `canaryDevices: 10\n    windows: ${windows}\n`));
  const told = async (windows: string, zones: DeviceZones = {}) =>
    (await plan(at(windows), "driven", fleet(50, zones))).sentences.join("\n");
  expect(await told('[{ from: "22:00", to: "04:00", zone: Europe/Berlin }]')).toContain(
    "Its maintenance window opens at 2026-07-01T20:00:00.000Z.",
  );
  expect(await told('[{ from: "10:00", to: "16:00", zone: device }]', { a: "Europe/Berlin" })).toContain(
    "Its maintenance window is open.",
  );
  const night = '[{ from: "22:00", to: "04:00", zone: device }]';
  const apart = await plan(at(night), "driven", fleet(50, { a: "Europe/Berlin", b: "America/New_York" }));
  expect(apart.refusals).toEqual([
    "driven: its windows are never open for all its devices at once. On the next day that has any they are open, in UTC, for America/New_York from 02:00 to 08:00; for Europe/Berlin from 20:00 to 02:00. Make them longer, or a target for each zone",
  ]);
  expect(apart.sentences).toContain(apart.refusals[0]);
  expect(await told(night, { a: "Europe/Berlin", b: undefined, c: undefined })).toMatch(
    /2 of 3 have no attribute "timezone" \(b, c\); give it to them, or state the window's zone/,
  );
  expect(await told(night, { a: "Berlin" })).toMatch(
    /the attribute "timezone" of 1 names none \(a says "Berlin"\)/,
  );
  expect(() => at('[{ from: "22:00", to: "22:00", zone: UTC }]')).toThrow(
    /closes when it opens is never open/,
  );
  expect(() => at('[{ from: "22:00", to: "23:00", zone: Europe/Berln }]')).toThrow(
    /targets\.driven\.windows\[0\]\.zone: "Europe\/Berln" is no time zone/,
  );
});
