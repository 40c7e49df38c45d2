import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { arrange } from "./arrangement.ts";
import { criticalValue, overlaps } from "./overlaps.ts";
import { studentise } from "./statistic.ts";
import { trialPolicy } from "./trials.ts";

test.each([
  [5, 50],
  [10, 10],
  [3, 2],
])("the overlaps of %i of all with %i others are all there are", (canary, baseline) => {
  const { kinds } = overlaps(canary, baseline);
  const sum = kinds.reduce((total, { chance }) => total + chance, 0);
  expect(sum).toBeCloseTo(1, 5);
  // On the average a re-draw shows nothing of the effect.
  expect(kinds.reduce((total, { chance, share }) => total + chance * share, 0)).toBeCloseTo(0, 5);
});

test("without an effect re-draws reach as far as Student's t of 53 degrees of freedom", () => {
  expect(criticalValue(overlaps(5, 50), 0, 0.01)).toBeCloseTo(2.399, 2);
});

test("re-draws of devices of which some are moved reach as far as is said", () => {
  const devices = Array.from({ length: 55 }, (_, index) => ({
    thing: `t${index}`,
    stratum: "all",
    cluster: `t${index}`,
  }));
  const canary = devices.slice(0, 5).map(({ thing }) => thing);
  const arrangement = arrange({ devices, draw: { how: "drawn", seed: "s", canary }, policy: trialPolicy });
  if (typeof arrangement === "string") throw new Error(arrangement);
  const random = new SeededRandom("moved");
  const moved = 4;
  const error = Math.sqrt(1 / 5 + 1 / 50);
  const statistic = new Float64Array(2000);
  let reached = 0;
  const fleets = 60;
  for (let fleet = 0; fleet < fleets; fleet++) {
    const e = Float64Array.from(
      { length: 55 },
      (_, unit) => random.normal() + (unit < 5 ? moved * error : 0),
    );
    studentise(e, arrangement, statistic);
    reached += (statistic.slice(1).sort()[1989] ?? Number.NaN) / fleets;
  }
  expect(Math.abs(reached - criticalValue(overlaps(5, 50), moved, 0.005))).toBeLessThan(0.08);
});
