import fc from "fast-check";
import { expect, test } from "vitest";
import { draw, drawOf, DrawRefused } from "./draw.ts";
import { faultsOfDraw } from "./verify.ts";

const device = (index: number, stratum: string, cluster = `c${index}`) => ({
  thing: `t${index}`,
  stratum,
  cluster,
});

const fleets = fc
  .array(fc.record({ stratum: fc.constantFrom("a", "b", "c"), site: fc.nat(6) }), {
    minLength: 2,
    maxLength: 60,
  })
  .map((list) => list.map(({ stratum, site }, index) => device(index, stratum, `${stratum}${site}`)));

test("the same devices and seed give the same draw, however they are listed [judge-1.1]", () => {
  fc.assert(
    fc.property(fleets, fc.string(), fc.nat(50), (devices, seed, wanted) => {
      fc.pre(wanted >= 1 && wanted < devices.length);
      const once = attempt(() => draw(devices, wanted, seed));
      expect(attempt(() => draw(devices.toReversed(), wanted, seed))).toEqual(once);
      if (typeof once !== "string")
        expect(faultsOfDraw({ devices, draw: drawOf(devices, wanted, seed) })).toEqual([]);
    }),
  );
});

test("another seed's canary is not this seed's", () => {
  const devices = Array.from({ length: 50 }, (_, index) => device(index, "a"));
  const told = { ...drawOf(devices, 10, "two"), seed: "one" };
  expect(faultsOfDraw({ devices, draw: told })).toHaveLength(1);
});

test("clusters stay whole, the number is never exceeded, and the order names every device once [judge-1.2]", () => {
  fc.assert(
    fc.property(fleets, fc.string(), fc.integer({ min: 1, max: 50 }), (devices, seed, wanted) => {
      fc.pre(wanted < devices.length);
      const drawn = attempt(() => draw(devices, wanted, seed));
      if (typeof drawn === "string") return;
      const canary = new Set(drawn.canary);
      expect(canary.size).toBeLessThanOrEqual(wanted);
      expect([...drawn.order].sort()).toEqual(devices.map(({ thing }) => thing).sort());
      expect(drawn.order.slice(0, canary.size)).toEqual(drawn.canary);
      for (const { cluster } of devices) {
        const own = devices.filter((one) => one.cluster === cluster);
        expect(new Set(own.map(({ thing }) => canary.has(thing))).size).toBe(1);
      }
    }),
  );
});

test("each stratum gives in proportion [judge-1.2]", () => {
  const devices = Array.from({ length: 50 }, (_, index) => device(index, index < 30 ? "north" : "south"));
  const north = new Set(devices.slice(0, 30).map(({ thing }) => thing));
  expect(draw(devices, 10, "s").canary.filter((thing) => north.has(thing))).toHaveLength(6);
});

test.each([
  ["as many canaries as devices", 4, 4],
  ["no canary", 4, 0],
  ["half a canary", 4, 0.5],
])("refuses %s [judge-1.3]", (_, count, wanted) => {
  const devices = Array.from({ length: count }, (_, index) => device(index, "a"));
  expect(() => draw(devices, wanted, "s")).toThrow(DrawRefused);
});

test("refuses where every cluster is larger than what may be drawn [judge-1.3]", () => {
  const devices = Array.from({ length: 6 }, (_, index) => device(index, "a", index < 3 ? "x" : "y"));
  expect(() => draw(devices, 2, "s")).toThrow(/split the clusters/);
});

test("every device is drawn equally often [judge-1.4]", () => {
  const devices = Array.from({ length: 20 }, (_, index) => device(index, "a"));
  const times = new Map<string, number>();
  for (let seed = 0; seed < 4000; seed++)
    for (const thing of draw(devices, 5, `seed-${seed}`).canary)
      times.set(thing, (times.get(thing) ?? 0) + 1);
  // 1,000 each; four standard deviations of a binomial count are 110.
  for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(110);
  expect(times.size).toBe(20);
});

function attempt<T>(make: () => T): T | string {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof DrawRefused) return thrown.message;
    throw thrown;
  }
}
