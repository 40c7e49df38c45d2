import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bundle, Metric, Pair } from "./bundle.ts";
import { judge } from "./judge.ts";
import { trialPolicy } from "./trials.ts";

const number = fc.oneof(
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, -1, 1, 5e-324, 1e308),
  fc.nat(1000),
);
const anyPair: fc.Arbitrary<Pair> = fc.oneof(fc.constant(null), fc.tuple(number, number));
/** Pairs that say nothing: absent, undefined, infinite, negative, or of nothing. */
const emptyPair: fc.Arbitrary<Pair> = fc.oneof(
  fc.constant(null),
  fc.tuple(fc.constantFrom(Number.NaN, Infinity, -1), number),
  fc.tuple(number, fc.constantFrom(Number.NaN, Infinity, 0, -3)),
);
const metric: fc.Arbitrary<Metric> = fc.record(
  {
    name: fc.constantFrom("a", "b"),
    kind: fc.constantFrom("ratio" as const, "mean" as const, "liveness" as const),
    direction: fc.constantFrom("up" as const, "down" as const, "either" as const),
    role: fc.constantFrom("halting" as const, "advisory" as const),
    minEffect: fc.constantFrom(1.1, 2),
    margin: fc.constantFrom(1.2, 3),
    negligible: fc.constantFrom(0, 0.1),
    limit: fc.constant({ above: 0.5, exposureMin: 1 }),
  },
  { requiredKeys: ["name", "kind", "direction", "role", "minEffect", "negligible"] },
);

function bundles(pair: fc.Arbitrary<Pair>): fc.Arbitrary<Bundle> {
  return fc
    .record({
      count: fc.nat(12),
      canary: fc.nat(12),
      strata: fc.constantFrom(1, 2),
      clusters: fc.constantFrom(1, 3, 100),
      how: fc.constantFrom("drawn" as const, "handPicked" as const),
      metrics: fc.array(metric, { maxLength: 2 }),
      judgedBy: fc.constantFrom("comparison" as const, "limits" as const),
      elapsed: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 4 }),
    })
    .chain((shape) => {
      const values = fc.dictionary(
        fc.constantFrom("a", "b", "c"),
        fc.array(pair, { maxLength: shape.count + 1 }),
      );
      return fc
        .record({ before: values, looks: fc.array(values, { minLength: 4, maxLength: 4 }) })
        .map((data) => {
          const devices = Array.from({ length: shape.count }, (_, index) => ({
            thing: `t${index}`,
            stratum: `s${index % shape.strata}`,
            cluster: `c${index % shape.clusters}`,
          }));
          return {
            version: 1 as const,
            rollout: "r",
            target: "t",
            devices,
            draw: {
              how: shape.how,
              seed: "s",
              canary: Array.from({ length: shape.canary }, (_, index) => `t${index}`),
            },
            metrics: shape.metrics,
            policy: { ...trialPolicy, judgedBy: shape.judgedBy, draws: 99 },
            before: data.before,
            looks: shape.elapsed.map((hours, index) => ({
              elapsedMs: hours * 3_600_000,
              values: data.looks[index] ?? {},
              updated: [],
              failing: [],
            })),
          };
        });
    });
}

test("no bundle makes it throw, and every verdict has its sentence [judge-3.3]", () => {
  fc.assert(
    fc.property(bundles(anyPair), (bundle) => {
      const verdict = judge(bundle);
      expect(verdict.because.length).toBeGreaterThan(10);
      expect(verdict.because).not.toMatch(/NaN|undefined/);
      expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
    }),
    { numRuns: 600 },
  );
});

test("evidence that says nothing neither promotes nor halts [judge-3.3]", () => {
  fc.assert(
    fc.property(bundles(emptyPair), (bundle) => {
      expect(["WAIT", "INCONCLUSIVE"]).toContain(judge(bundle).verdict);
    }),
    { numRuns: 400 },
  );
});

test("a constant metric neither promotes nor halts [judge-3.3]", () => {
  fc.assert(
    fc.property(bundles(fc.constant<Pair>([3, 10])), (bundle) => {
      const plain = bundle.metrics.map((metric) => ({
        ...metric,
        limit: undefined,
        kind: "mean" as const,
        negligible: 0,
      }));
      expect(["WAIT", "INCONCLUSIVE"]).toContain(judge({ ...bundle, metrics: plain }).verdict);
    }),
    { numRuns: 300 },
  );
});
