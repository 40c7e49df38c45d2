import { expect, test } from "vitest";
import type { DeviceTally } from "../evidence/tally.ts";
import { whatFailed } from "./what-failed.ts";

const NOW_MS = 100 * 60_000;
const device = (more: Partial<DeviceTally>): DeviceTally => ({
  heard: 0,
  counters: {},
  sums: {},
  components: [],
  restarts: {},
  ...more,
});
const broke = device({
  status: { healthy: false, broken: ["coalmine.Inference"] },
  job: { status: "FAILED", atMs: NOW_MS - 1000, reason: "it broke" },
});

test("devices that failed alike are told together, most first and counted where they are many; who is well is not told", () => {
  const things = Array.from({ length: 7 }, (_, index) => `d-${index}`);
  const tally = {
    ...Object.fromEntries(things.map((thing) => [thing, broke])),
    loop: device({ restarts: { inference: [NOW_MS - 3000, NOW_MS - 2000, NOW_MS - 1000] } }),
    well: device({ connection: { connected: true, atMs: NOW_MS } }),
  };
  expect(whatFailed(tally, ["well", "loop", "never", ...things.toReversed()], NOW_MS)).toEqual([
    'coalmine.Inference BROKEN and the deployment FAILED ("it broke") on d-0, d-1, d-2, d-3, d-4 and 2 more; `coalmine device logs d-0` has its last lines',
    "components start again and again on loop; `coalmine device logs loop` has its last lines",
  ]);
});
