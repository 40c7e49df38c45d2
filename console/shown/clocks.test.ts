import { expect, test } from "vitest";
import { FleetClocks } from "./clocks.ts";

test("an age grows with its fleet's clock, also between two words of the server, and is never lower than it said", () => {
  let monotonicMs = 0;
  const clocks = new FleetClocks(() => monotonicMs);
  const seen = { atMs: 1000, ageMs: 500 };
  expect(clocks.ageMs("driven", seen)).toBe(500);
  clocks.tell("driven", 5000);
  clocks.tell("home", 1200);
  expect(clocks.ageMs("driven", seen)).toBe(4000);
  expect(clocks.ageMs("home", seen)).toBe(500);
  monotonicMs = 60_000;
  expect(clocks.ageMs("driven", seen)).toBe(64_000);
  // A driven clock stood still meanwhile: the next word of it counts.
  clocks.tell("driven", 5000);
  expect(clocks.ageMs("driven", seen)).toBe(4000);
});
