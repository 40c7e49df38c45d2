import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SequenceRuns } from "./sequence-runs.ts";

test("behaves as a set does, whatever is added, asked and removed", () => {
  const step = fc.record({ kind: fc.constantFrom("add", "add", "add", "remove"), sequence: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let runs = new SequenceRuns();
      const oracle = new Set<number>();
      for (const [at, { kind, sequence }] of steps.entries()) {
        if (kind === "add") {
          expect(runs.add(sequence)).toBe(!oracle.has(sequence));
          oracle.add(sequence);
        } else {
          runs.remove(sequence);
          oracle.delete(sequence);
        }
        if (at % 7 === 0) runs = SequenceRuns.fromNumbers(runs.toNumbers());
      }
      for (let sequence = 0; sequence <= 41; sequence++)
        expect(runs.has(sequence)).toBe(oracle.has(sequence));
    }),
    { numRuns: 1000 },
  );
}, 30_000);

test("evenly spaced numbers are one run, in order and after late ones came", () => {
  for (const spacing of [1, 20]) {
    const runs = new SequenceRuns();
    for (let at = 0; at < 10_000; at++) if (at % 100 !== 50) runs.add(at * spacing);
    for (let at = 50; at < 10_000; at += 100) runs.add(at * spacing);
    expect(runs.toNumbers()).toEqual([0, 9999 * spacing, spacing]);
  }
});
