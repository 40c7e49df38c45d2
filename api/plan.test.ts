import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { FleetHistory } from "../pipeline/judge/plan.ts";
import { parsePolicy } from "../pipeline/policy.ts";
import { plan } from "./plan.ts";

const policy = parsePolicy(readFileSync(new URL("../pipeline/policy.yaml", import.meta.url), "utf8"));

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

test("says what the canary finds in 1, 6 and 24 hours, the smallest p, and the chance of an unchanged release", async () => {
  const planned = await plan(policy, "driven", history(50));
  expect(planned.plan.smallestP).toBeLessThanOrEqual(0.005);
  const text = planned.sentences.join("\n");
  expect(text).toMatch(
    /10 of 50 devices of driven are drawn \(the policy says so\); the smallest p that can be reached is 0\.0005/,
  );
  expect(text).toMatch(/model run: finds [\d.]+× in 6 h, [\d.]+× in 24 h\./);
  expect(text).toMatch(/promoted in at least [\d.]+ % of rollouts/);
});

test("refuses a policy whose canary leaves no baseline, with the arithmetic", async () => {
  const planned = await plan(policy, "driven", history(8));
  expect(planned.refusals.join(" ")).toMatch(/10 canary devices of a fleet of 8 leave no baseline/);
  expect(planned.sentences).toEqual(expect.arrayContaining([...planned.refusals]));
});
